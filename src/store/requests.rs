//! Owns what other processes ask of the daemon by way of the store, and whether it has anything left to do.

use jiff::Timestamp;
use sqlx::Row as _;

use super::db::Store;
use super::error::Result;

const RELOAD: &str = "reload_requested";

/// Work that does not come from paused flows: rows to look at, customers to let in, changes to see.
const LEFT: &str = "SELECT \
     EXISTS (SELECT 1 FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 \
       AND e.due IS NOT NULL AND e.status < 10 AND NOT EXISTS (SELECT 1 FROM flow_states AS f \
       WHERE f.flow = e.flow AND f.paused_at IS NOT NULL)), \
     EXISTS (SELECT 1 FROM flow_states AS f WHERE f.paused_at IS NULL \
       AND f.activated_at IS NOT NULL AND (f.caught_up_to < 1024 OR EXISTS \
       (SELECT 1 FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = f.flow \
       AND e.status = 0))), \
     EXISTS (SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023), \
     EXISTS (SELECT 1 FROM segment_states WHERE examined_to < 1024)";

pub(super) const STATEMENTS: &[&str] = &[LEFT];

impl Store {
    /// Asks the daemon to read its files again.
    pub async fn request_reload(&self, at: Timestamp) -> Result<()> {
        self.set_meta(RELOAD, &at).await
    }

    /// When a reload was last asked for.
    pub async fn reload_requested(&self) -> Result<Option<Timestamp>> {
        self.get_meta(RELOAD).await
    }

    /// Whether nobody waits, nothing is to be sent, and every change has been looked at.
    pub async fn is_idle(&self) -> Result<bool> {
        let row = sqlx::query(LEFT).fetch_one(self.read()).await?;
        Ok((0..4).all(|column| row.get::<i64, _>(column) == 0))
    }
}
