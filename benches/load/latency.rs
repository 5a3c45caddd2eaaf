//! Owns how long a change takes to become an enrollment, and a due step to be handed over, while
//! changes arrive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};

use drumbeat::clock::{Clock, SystemClock};
use drumbeat::engine::Enroller;

use crate::changes;
use crate::child;
use crate::database::Raw;
use crate::files::{self, DELAY_SECONDS};
use crate::gateway::Recorder;
use crate::measures::{Measures, add, number, spread};
use crate::place::Place;
use crate::process;
use crate::rig::{self, Rig};

/// Where the changes are made: beside the loops, as an HTTP API does; or in another process, as the
/// command line does.
pub(crate) const WITHIN: &str = "within";

const STARTED: &str = "SELECT enrollment_id, started_at FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND started_at BETWEEN $1 AND $2";

pub(crate) async fn run(place: &Place, within: bool) -> Result<Measures> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let expected = place.rate * place.seconds;
    let gateway = Recorder::new(Arc::clone(&clock), expected);
    let rig = Rig::open(place, Arc::clone(&clock), Arc::clone(&gateway) as _).await?;
    rig.begin(&Enroller::new(Arc::clone(&rig.engine))).await?;
    let loops = rig.start();
    let from = clock.now().as_microsecond();
    let (begun, before) = (Instant::now(), process::cpu_seconds()?);
    let mut measures = if within {
        let catalog = rig.engine.catalog();
        changes::run(place, &rig.engine.store, catalog.revision()).await?
    } else {
        child::run("changes", place).await?
    };
    rig::until("messages", async || {
        let count = gateway.count();
        Ok((count >= expected, count))
    })
    .await?;
    let share = (process::cpu_seconds()? - before) / begun.elapsed().as_secs_f64();
    add(&mut measures, "cpu_percent", share * 100.0);
    add(&mut measures, "memory", process::megabytes()?);
    loops.stop().await?;
    rig.close().await?;
    let late = lateness(place, &gateway, [from, clock.now().as_microsecond()]).await?;
    spread(&mut measures, "handed_over_ms", late);
    Ok(measures)
}

/// Milliseconds from each step's due time, a fixed delay after its enrollment, to its hand-over.
async fn lateness(place: &Place, gateway: &Recorder, within: [i64; 2]) -> Result<Vec<f64>> {
    let mut raw = Raw::open(&place.url).await?;
    let started: BTreeMap<i64, i64> = raw.pairs(STARTED, within).await?.into_iter().collect();
    let taken = gateway.taken();
    let late = |one: &crate::gateway::HandedOver| {
        let due = started.get(&one.enrollment)? + DELAY_SECONDS * 1_000_000;
        let micros = one.micros - due;
        let late = number(micros.unsigned_abs()) / 1000.0;
        Some(if micros < 0 { -late } else { late })
    };
    let lates: Vec<f64> = taken.iter().filter_map(late).collect();
    if lates.len() != taken.len() {
        bail!(
            "{} were handed over, {} of them enrolled",
            taken.len(),
            lates.len()
        );
    }
    if let Some(early) = lates.iter().find(|late| **late < 0.0) {
        bail!("a message was handed over {early} ms before it was due");
    }
    Ok(lates)
}

/// The process that changes customers beside the daemon's.
pub(crate) async fn elsewhere(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let (revision, _) = files::revision(place)?;
    let measures = changes::run(place, &store, &revision).await?;
    store.close().await;
    Ok(measures)
}
