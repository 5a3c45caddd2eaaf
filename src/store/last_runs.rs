//! Owns when each housekeeping chore ran last, and how it went.

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::instants::instant;
use super::sql::query;

const LAST: &str = "SELECT ran_at, result FROM last_runs WHERE job = $1";
const RAN: &str = "INSERT INTO last_runs (job, ran_at, result) VALUES ($1, $2, $3) \
     ON CONFLICT (job) DO UPDATE SET ran_at = excluded.ran_at, result = excluded.result";

pub(super) const STATEMENTS: &[&str] = &[LAST, RAN];

/// One finished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    pub at: Timestamp,
    pub result: Option<String>,
}

impl Store {
    pub async fn last_run(&self, job: &str) -> Result<Option<LastRun>> {
        let row = query(LAST).bind(job).fetch_optional(self.read()).await?;
        row.map(|row| {
            Ok(LastRun {
                at: instant(row.try_get(0)?)?,
                result: row.try_get(1)?,
            })
        })
        .transpose()
    }

    pub async fn ran(&self, job: &str, at: Timestamp, result: Option<&str>) -> Result<()> {
        let mut tx = self.begin().await?;
        query(RAN)
            .bind(job)
            .bind(at.as_microsecond())
            .bind(result)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }
}
