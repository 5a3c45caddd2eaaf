//! Owns letting go of what is older than the retention says, a batch at a time.

use jiff::Timestamp;

use super::runtime::Engine;
use crate::domain::calendar;
use crate::domain::daemon_settings::Retention;
use crate::domain::duration::Delay;
use crate::domain::touched::Touched;
use crate::store::{Result, Store};

/// Rows removed in one transaction.
const BATCH: u32 = 2_000;
/// How many days files of exports are kept, unless the settings say otherwise.
const REPORTS: i32 = 7;
/// How many days jobs that are over are listed.
const JOBS: i32 = 90;

/// What is past its time.
#[derive(Debug, Clone, Copy)]
enum Past {
    Interactions { marks: bool },
    Memberships,
    InteractionIds,
    Dispatches { marks: bool },
}

/// Removes what is past its time: interactions and the ids they were told by, dispatches of ended
/// enrollments, files of exports, jobs that are over, and answers to requests. How many rows.
pub async fn prune(engine: &Engine, retention: Retention) -> Result<u64> {
    let catalog = engine.catalog();
    let asks = |what: Touched| catalog.asks.meets(what);
    let interactions = Past::Interactions {
        marks: asks(Touched::INTERACTIONS),
    };
    let dispatches = Past::Dispatches {
        marks: asks(Touched::DISPATCHES),
    };
    let (store, now, mut removed) = (&engine.store, engine.clock.now(), 0);
    for (past, kept) in [
        (interactions, retention.interactions),
        (Past::Memberships, retention.interactions),
        (Past::InteractionIds, retention.interaction_ids),
        (dispatches, retention.dispatches),
    ] {
        let Some(span) = kept else { continue };
        let before = calendar::before(now, span, &catalog.zone);
        loop {
            let batch = past.remove(store, before).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                break;
            }
        }
    }
    let reports = retention.reports.unwrap_or(Delay::days(REPORTS));
    let reports = calendar::before(now, reports, &catalog.zone);
    removed += store.prune_reports(reports).await?;
    store.sweep_reports().await?;
    loop {
        let batch = store.prune_receipts(now, BATCH).await?;
        removed += batch;
        if batch < u64::from(BATCH) {
            break;
        }
    }
    let jobs = calendar::before(now, Delay::days(JOBS), &catalog.zone);
    removed += store.prune_jobs(jobs).await?;
    Ok(removed + store.prune_answers(engine.clock.machine()).await?)
}

impl Past {
    async fn remove(self, store: &Store, before: Timestamp) -> Result<u64> {
        match self {
            Self::Interactions { marks } => store.prune_interactions(before, BATCH, marks).await,
            Self::Memberships => store.prune_memberships(before, BATCH).await,
            Self::InteractionIds => store.prune_interaction_keys(before, BATCH).await,
            Self::Dispatches { marks } => store.prune_dispatches(before, BATCH, marks).await,
        }
    }
}
