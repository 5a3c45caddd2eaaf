//! Owns the jobs about imports: looking at all rows, storing them, taking them back.

use super::staging::{self, Body};
pub use super::task::{Ended, Task};
use super::{reverting, saving};
use crate::customers::error::Error;
use crate::domain::job::JobKind;
use crate::store;

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
