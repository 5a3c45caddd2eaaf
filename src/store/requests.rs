//! Owns what other processes ask of the daemon by way of the store, and whether it has anything left to do.

use std::ops::Range;

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::instants::micros;
use super::sql::{Row, query};
use crate::domain::ids::NameNo;

pub(super) const RELOAD: &str = "reload_requested";

/// Work that does not come from paused flows: rows to look at, customers to let in, changes to see, jobs.
const LEFT: &str = "@everywhere(waiting)SELECT \
     EXISTS (SELECT 1 FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 \
       AND e.due IS NOT NULL AND e.status < 10 AND e.flow NOT IN \
       (SELECT f.flow FROM flow_states AS f WHERE f.paused_at IS NOT NULL)), \
     EXISTS (SELECT 1 FROM flow_states AS f WHERE f.paused_at IS NULL \
       AND f.activated_at IS NOT NULL AND f.caught_up_to < 1024), \
     EXISTS (SELECT 1 FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 AND e.status = 0 \
       AND e.flow IN (SELECT f.flow FROM flow_states AS f WHERE f.paused_at IS NULL \
       AND f.activated_at IS NOT NULL)), \
     EXISTS (SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023), \
     EXISTS (SELECT 1 FROM segment_states WHERE examined_to < 1024), \
     EXISTS (SELECT 1 FROM jobs WHERE state < 2)";

/// Work that is to be done before flow time may go on: whatever is due, being sent, or not looked at.
const BEHIND: &str = "@everywhere(waiting)SELECT \
     EXISTS (SELECT 1 FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 AND e.due <= $1 \
       AND e.lane NOT IN (SELECT c.channel FROM channel_states AS c \
       WHERE c.paused_at IS NOT NULL)), \
     EXISTS (SELECT 1 FROM enrollments AS e JOIN dispatches AS d ON d.bucket = e.bucket \
       AND d.enrollment_id = e.enrollment_id AND d.step = e.step \
       WHERE e.bucket BETWEEN 0 AND 1023 AND e.status = 2 AND d.state = 0), \
     EXISTS (SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023), \
     EXISTS (SELECT 1 FROM flow_states AS f WHERE f.paused_at IS NULL \
       AND f.activated_at IS NOT NULL AND f.caught_up_to < 1024), \
     EXISTS (SELECT 1 FROM @numbers($2) AS j LEFT JOIN segment_states AS s \
       ON s.segment = j.value WHERE s.segment IS NULL OR s.examined_to < 1024 \
       OR s.next_edge <= $1)";

pub(super) const STATEMENTS: &[&str] = &[LEFT, BEHIND];

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
        let row = query(LEFT).fetch_one(self.read()).await?;
        none(&row, 0..6)
    }

    /// Whether everything up to `now` has been done: what is due was sent or put off, every change
    /// and the passing of time were looked at in these segments. Paused channels are left out.
    pub async fn is_caught_up(&self, segments: &[NameNo], now: Timestamp) -> Result<bool> {
        let row = query(BEHIND)
            .bind(micros(now))
            .bind(super::among::numbers_of_names(segments))
            .fetch_one(self.read())
            .await?;
        none(&row, 0..5)
    }
}

/// Whether none of these columns says yes.
fn none(row: &Row, columns: Range<usize>) -> Result<bool> {
    for column in columns {
        if row.try_get::<bool>(column)? {
            return Ok(false);
        }
    }
    Ok(true)
}
