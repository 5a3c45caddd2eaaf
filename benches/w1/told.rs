//! Owns how fast other systems may tell what customers did: batches as the API takes them.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use drumbeat::customers::occurrence_form::{Page, WrittenOccurrence};
use drumbeat::customers::occurrence_reading::Reader;
use drumbeat::customers::occurrences::{Outcome, Recording};
use drumbeat::domain::audit::{Actor, By, Source};

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
    let published = store.current_revision().await?;
    let published = published.context("nothing is published")?;
    let by = By::new(Actor::named("benchmark"), Source::Api);
    let now = rig::day(0)?;
    let (reader, recording) = (
        Reader {
            revision: &published.revision,
            by: &by,
            now,
        },
        Recording {
            store: &store,
            revision: &published.revision,
            by: &by,
            now,
            is_trial: false,
        },
    );
    let all: Vec<u64> = (0..TOLD).collect();
    let begun = Instant::now();
    for batch in all.chunks(BATCH) {
        let read = batch.iter().map(|n| reader.read(visit(*n, place)));
        let outcomes = recording.record(read.collect()).await?;
        if outcomes.iter().any(|one| *one != Outcome::Recorded) {
            bail!("not everything that was told was recorded");
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await;
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(TOLD) / seconds);
    Ok(measures)
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
