//! Owns letting go of what is older than the retention says, a batch at a time.

use super::runtime::Engine;
use crate::domain::calendar;
use crate::domain::daemon_settings::Retention;
use crate::domain::duration::Delay;
use crate::domain::touched::Touched;
use crate::store::Result;

/// Rows removed in one transaction.
const BATCH: u32 = 2_000;
/// How many days files of exports are kept, unless the settings say otherwise.
const REPORTS: i32 = 7;
/// How many days jobs that are over are listed.
const JOBS: i32 = 90;

/// Removes what is past its time: interactions, dispatches of ended enrollments, files of exports, jobs
/// that are over, and answers to requests. How many rows.
pub async fn prune(engine: &Engine, retention: Retention) -> Result<u64> {
    let catalog = engine.catalog();
    let (store, now, mut removed) = (&engine.store, engine.clock.now(), 0);
    if let Some(span) = retention.interactions {
        let before = calendar::before(now, span, &catalog.zone);
        let marks = catalog.asks.meets(Touched::INTERACTIONS);
        loop {
            let batch = store.prune_interactions(before, BATCH, marks).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                break;
            }
        }
    }
    if let Some(span) = retention.dispatches {
        let before = calendar::before(now, span, &catalog.zone);
        let marks = catalog.asks.meets(Touched::DISPATCHES);
        loop {
            let batch = store.prune_dispatches(before, BATCH, marks).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                break;
            }
        }
    }
    let reports = retention.reports.unwrap_or(Delay::days(REPORTS));
    let reports = calendar::before(now, reports, &catalog.zone);
    removed += store.prune_reports(reports).await?;
    let jobs = calendar::before(now, Delay::days(JOBS), &catalog.zone);
    removed += store.prune_jobs(jobs).await?;
    Ok(removed + store.prune_answers(engine.clock.machine()).await?)
}
