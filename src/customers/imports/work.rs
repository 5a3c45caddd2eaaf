//! Owns the jobs about imports: looking at all rows, storing them, taking them back.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::staging::{self, Body};
use super::{reverting, saving};
use crate::clock::Clock;
use crate::customers::error::Error;
use crate::domain::job::{Job, JobEnd, JobKind};
use crate::store::{self, JobHold, Published, Store};

/// A job about an import, and what it is done with.
pub struct Task<'a> {
    pub store: &'a Store,
    pub clock: &'a dyn Clock,
    pub published: Arc<Published>,
    pub hold: &'a JobHold,
    pub job: &'a Job,
    /// Told to stop; whoever comes next goes on.
    pub stop: &'a CancellationToken,
}

/// How far the work got.
#[derive(Debug)]
pub enum Ended {
    ToTheEnd(JobEnd),
    Stopped,
    /// Somebody else is at it.
    Lost,
}

/// Whether a job is about an import.
pub fn is_for(kind: JobKind) -> bool {
    matches!(
        kind,
        JobKind::CheckImport | JobKind::Import | JobKind::RevertImport
    )
}

/// Carries a job about an import out.
pub async fn carry_out(task: &Task<'_>) -> Result<Ended, Error> {
    let body: Body = serde_json::from_value(task.job.body.clone())
        .map_err(|error| store::Error::Corrupt(format!("the job {}: {error}", task.job.number)))?;
    let import = staging::find(task.store, body.import).await?;
    match task.job.kind {
        JobKind::CheckImport => saving::check(task, &import).await,
        JobKind::Import => saving::save(task, &import).await,
        _ => reverting::revert(task, &import, body.dry_run).await,
    }
}
