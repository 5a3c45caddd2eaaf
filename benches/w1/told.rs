//! Owns how fast other systems may tell what customers did: batches as the API takes them.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use drumbeat::customers::occurrence_form::{Page, WrittenOccurrence};
use drumbeat::customers::occurrence_reading::Reader;
use drumbeat::customers::occurrences::{Outcome, Recording};
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::store::Store;
use jiff::Timestamp;

use crate::phases::{Measures, add, number};
use crate::place::Place;
use crate::{rig, workload};

const TOLD: u64 = 100_000;
const BATCH: usize = 1_000;
/// Customers are taken in steps that scatter them over the buckets.
const STEP: u64 = 7_919;

/// Visited pages of customers all over the base, a thousand at once.
pub(crate) async fn told(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let begun = Instant::now();
    tell(&store, rig::day(0)?, TOLD, |n| visit(n, place)).await?;
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await;
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(TOLD) / seconds);
    Ok(measures)
}

/// Tells so many, of which none was told before.
pub(crate) async fn tell(
    store: &Store,
    now: Timestamp,
    count: u64,
    what: impl Fn(u64) -> WrittenOccurrence,
) -> Result<()> {
    let published = store.current_revision().await?;
    let published = published.context("nothing is published")?;
    let by = By::new(Actor::named("benchmark"), Source::Api);
    let (reader, recording) = (
        Reader {
            revision: &published.revision,
            by: &by,
            now,
        },
        Recording {
            store,
            revision: &published.revision,
            by: &by,
            now,
            is_trial: false,
        },
    );
    for begin in (0..count).step_by(BATCH) {
        let batch = begin..count.min(begin + BATCH as u64);
        let read = batch.map(|n| reader.read(what(n)));
        let outcomes = recording.record(read.collect()).await?;
        if outcomes.iter().any(|one| *one != Outcome::Recorded) {
            bail!("not everything that was told was recorded");
        }
    }
    Ok(())
}

fn visit(n: u64, place: &Place) -> WrittenOccurrence {
    WrittenOccurrence {
        id: format!("visit-{n}"),
        kind: "page-visited".to_owned(),
        customer: Some(workload::name(n * STEP % place.customers)),
        page: Some(Page {
            url: format!("https://www.bank.example/{}", n % 100),
            title: None,
            referrer: None,
        }),
        ..WrittenOccurrence::default()
    }
}
