//! Owns removing what is past its retention, and the database's own upkeep.

use jiff::Timestamp;

use super::db::Store;
use super::dialect::Dialect;
use super::error::Result;
use super::instants::micros;
use super::sql::query;

const INTERACTIONS: &str = "DELETE FROM interactions WHERE (bucket, customer_id, at, seq) IN \
     (SELECT bucket, customer_id, at, seq FROM interactions WHERE bucket BETWEEN 0 AND 1023 \
     AND at < $1 LIMIT $2)";
const DISPATCHES: &str = "DELETE FROM dispatches WHERE (bucket, enrollment_id, step) IN \
     (SELECT d.bucket, d.enrollment_id, d.step FROM dispatches AS d JOIN enrollments AS e \
     ON e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     WHERE d.bucket BETWEEN 0 AND 1023 AND d.at < $1 AND d.state <> 8 AND e.status >= 10 LIMIT $2)";
const ATTEMPTS: &str = "DELETE FROM attempts WHERE bucket BETWEEN 0 AND 1023 AND NOT EXISTS \
     (SELECT 1 FROM dispatches AS d WHERE d.bucket = attempts.bucket \
     AND d.enrollment_id = attempts.enrollment_id AND d.step = attempts.step)";

pub(super) const STATEMENTS: &[&str] = &[INTERACTIONS, DISPATCHES, ATTEMPTS];

/// A server sees to both by itself.
const OPTIMIZE: &str = "PRAGMA optimize";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

impl Store {
    pub async fn prune_interactions(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let statement = query(INTERACTIONS).bind(micros(before)).bind(limit);
        let removed = statement.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Dispatches of live enrollments and uncertain ones stay.
    pub async fn prune_dispatches(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let statement = query(DISPATCHES).bind(micros(before)).bind(limit);
        let removed = statement.execute(&mut tx).await?;
        if removed > 0 {
            query(ATTEMPTS).execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }

    /// Refreshes what the query planner knows, and gives the write-ahead log's space back.
    pub async fn upkeep(&self) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            query(OPTIMIZE).execute(&self.writers).await?;
            query(CHECKPOINT).execute(&self.writers).await?;
        }
        Ok(())
    }
}
