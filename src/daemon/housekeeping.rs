//! Owns the work of the small hours: reconciliation, pruning, upkeep. Fixed times in UTC, and caught up after a rest.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::imports;
use crate::customers::error::Error;
use crate::domain::daemon_settings::{DaemonSettings, Retention};
use crate::domain::duration::Delay;
use crate::engine::{Engine, prune, reconcile};

/// A run that is older than this is made up for at the start.
const DAY: SignedDuration = SignedDuration::from_hours(25);

#[derive(Debug, Clone, Copy)]
enum Chore {
    Reconcile,
    Prune(Retention),
    /// For how long imports can be taken back.
    Imports(Delay),
    Upkeep,
}

impl Chore {
    fn name(self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Prune(_) => "prune",
            Self::Imports(_) => "imports",
            Self::Upkeep => "upkeep",
        }
    }

    /// Seconds, minutes, hours, day, month, weekday; UTC.
    fn schedule(self) -> &'static str {
        match self {
            Self::Reconcile => "0 10 3 * * *",
            Self::Prune(_) => "0 40 3 * * *",
            Self::Imports(_) => "0 55 3 * * *",
            Self::Upkeep => "0 10 4 * * *",
        }
    }
}

/// Starts the chores; they end with the scheduler.
pub(super) async fn start(
    engine: Arc<Engine>,
    settings: &DaemonSettings,
) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let chores = [
        Chore::Reconcile,
        Chore::Prune(settings.retention),
        Chore::Imports(settings.imports.revertible),
        Chore::Upkeep,
    ];
    for chore in chores {
        let at_its_time = Arc::clone(&engine);
        let job = Job::new_async(chore.schedule(), move |_, _| {
            let engine = Arc::clone(&at_its_time);
            Box::pin(async move { run(&engine, chore).await })
        })?;
        scheduler.add(job).await?;
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { catch_up(&engine, chore).await });
    }
    scheduler.start().await?;
    Ok(scheduler)
}

/// A store that has never had the chore done is new, and has nothing to make up for.
async fn catch_up(engine: &Engine, chore: Chore) {
    if !engine.duty.leads() {
        return;
    }
    let now = engine.clock.machine();
    match engine.store.last_run(chore.name()).await {
        Ok(Some(last)) if now.duration_since(last.at) > DAY => run(engine, chore).await,
        Ok(Some(_)) => {}
        Ok(None) => note(engine, chore, "new").await,
        Err(error) => tracing::error!(%error, chore = chore.name(), "cannot read its last run"),
    }
}

async fn run(engine: &Engine, chore: Chore) {
    if !engine.duty.leads() {
        if let Chore::Imports(_) = chore {
            imports::sweep(engine).await;
        }
        return;
    }
    let done: Result<String, Error> = match chore {
        Chore::Reconcile => {
            let done = reconcile(engine).await.map(|n| format!("{n} differences"));
            done.map_err(Error::from)
        }
        Chore::Prune(retention) => {
            let done = prune(engine, retention).await.map(|n| format!("{n} rows"));
            done.map_err(Error::from)
        }
        Chore::Imports(span) => {
            let done = imports::prune(engine, span).await;
            done.map(|n| format!("{n} rows"))
        }
        Chore::Upkeep => {
            let done = engine.store.upkeep().await.map(|()| "done".to_owned());
            done.map_err(Error::from)
        }
    };
    match done {
        Ok(result) => note(engine, chore, &result).await,
        Err(error) => tracing::error!(%error, chore = chore.name(), "failed"),
    }
}

async fn note(engine: &Engine, chore: Chore, result: &str) {
    tracing::info!(chore = chore.name(), result, "done");
    if let Err(error) = engine
        .store
        .ran(chore.name(), engine.clock.machine(), Some(result))
        .await
    {
        tracing::error!(%error, chore = chore.name(), "cannot note its run");
    }
}
