//! Owns removing what is past its retention, and the database's own upkeep.

use jiff::Timestamp;

use super::db::Store;
use super::dialect::{Dialect, ids};
use super::dirty::{self, again};
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::sql::{query, query_scalar};
use crate::domain::ids::CustomerId;
use crate::domain::touched::Touched;

const INTERACTIONS: &str = "DELETE FROM interactions WHERE (bucket, customer_id, at, seq) IN \
     (SELECT bucket, customer_id, at, seq FROM interactions WHERE bucket BETWEEN 0 AND 1023 \
     AND at < $1 LIMIT $2) RETURNING customer_id";
const DISPATCHES: &str = "DELETE FROM dispatches WHERE (bucket, enrollment_id, step) IN \
     (SELECT d.bucket, d.enrollment_id, d.step FROM dispatches AS d JOIN enrollments AS e \
     ON e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     WHERE d.bucket BETWEEN 0 AND 1023 AND d.at < $1 AND d.state <> 8 AND e.status >= 10 LIMIT $2) \
     RETURNING enrollment_id";
const ATTEMPTS: &str = "DELETE FROM attempts WHERE bucket BETWEEN 0 AND 1023 AND NOT EXISTS \
     (SELECT 1 FROM dispatches AS d WHERE d.bucket = attempts.bucket \
     AND d.enrollment_id = attempts.enrollment_id AND d.step = attempts.step)";

const MARK: &str = concat!(
    "INSERT INTO dirty (bucket, customer_id, mark, what) \
     SELECT DISTINCT e.bucket, e.customer_id, 1, CAST($2 AS BIGINT) FROM ",
    ids!(),
    " AS k CROSS JOIN enrollments AS e WHERE e.bucket = k.bucket AND e.enrollment_id = k.id",
    again!()
);

pub(super) const STATEMENTS: &[&str] = &[INTERACTIONS, DISPATCHES, ATTEMPTS, MARK];

/// A server sees to both by itself.
const OPTIMIZE: &str = "PRAGMA optimize";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

impl Store {
    /// With `marks`, those whose lines go are looked at again, because a segment asks about them.
    pub async fn prune_interactions(
        &self,
        before: Timestamp,
        limit: u32,
        marks: bool,
    ) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let statement = query_scalar(INTERACTIONS).bind(micros(before)).bind(limit);
        let removed: Vec<i64> = statement.fetch_all(&mut tx).await?;
        if marks {
            let of = removed
                .iter()
                .map(|id| (CustomerId(*id), Touched::INTERACTIONS));
            dirty::mark_each(&mut tx, of).await?;
        }
        tx.commit().await?;
        Ok(removed.len() as u64)
    }

    /// Dispatches of live enrollments and uncertain ones stay. `marks` as for interactions.
    pub async fn prune_dispatches(
        &self,
        before: Timestamp,
        limit: u32,
        marks: bool,
    ) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let statement = query_scalar(DISPATCHES).bind(micros(before)).bind(limit);
        let removed: Vec<i64> = statement.fetch_all(&mut tx).await?;
        if !removed.is_empty() {
            query(ATTEMPTS).execute(&mut tx).await?;
        }
        if marks {
            let marking = query(MARK).bind(json(&removed));
            let marking = marking.bind(Touched::DISPATCHES.bits());
            marking.execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(removed.len() as u64)
    }

    /// Refreshes what the query planner knows, and gives the write-ahead log's space back.
    pub async fn upkeep(&self) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            self.look_often(false).await?;
            let done = async {
                query(OPTIMIZE).execute(&self.writers).await?;
                query(CHECKPOINT).execute(&self.writers).await
            };
            let done = done.await;
            self.look_often(true).await?;
            done?;
        }
        Ok(())
    }
}
