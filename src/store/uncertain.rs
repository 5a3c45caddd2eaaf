//! Owns the list of messages of which nobody knows whether their gateway took them.

use super::db::Store;
use super::dialect::rows;
use super::error::Result;
use super::ledger::{self, LedgerLine, LedgerPlace};
use super::listing::json;
use super::sql::query;
use super::tx::Tx;
use crate::domain::channel::Channel;

const ADD: &str = concat!(
    "INSERT INTO uncertain (bucket, enrollment_id, step, channel) \
     SELECT j.id >> 48, j.id, j.step, j.channel FROM ",
    rows!(id BIGINT 0, step BIGINT 1, channel BIGINT 2),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO NOTHING"
);
const REMOVE: &str = concat!(
    "DELETE FROM uncertain WHERE (bucket, enrollment_id, step) IN \
     (SELECT j.id >> 48, j.id, j.step FROM ",
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j)"
);
const LIST: &str = "@everywhere(people)SELECT d.enrollment_id, d.step, c.external_id, f.name, s.name, \
     d.channel, d.state, d.reason, d.attempt, d.at, d.detail FROM uncertain AS u \
     CROSS JOIN dispatches AS d CROSS JOIN enrollments AS e CROSS JOIN customers AS c \
     CROSS JOIN names AS f CROSS JOIN names AS s WHERE u.bucket BETWEEN 0 AND 1023 \
     AND d.bucket = u.bucket AND d.enrollment_id = u.enrollment_id AND d.step = u.step \
     AND d.state = 8 AND e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     AND c.bucket = e.bucket AND c.customer_id = e.customer_id AND f.number = e.flow \
     AND s.number = d.step AND (CAST($1 AS BIGINT) IS NULL OR u.channel = $1) \
     AND (d.at, d.enrollment_id, d.step) > ($2, $3, $4) \
     ORDER BY d.at, d.enrollment_id, d.step LIMIT $5";

pub(super) const STATEMENTS: &[&str] = &[ADD, REMOVE, LIST];

impl Store {
    /// Those that wait longest first, after a place in this order; of one channel, or of all.
    pub async fn uncertain(
        &self,
        channel: Option<Channel>,
        after: Option<LedgerPlace>,
        limit: u32,
    ) -> Result<Vec<LedgerLine>> {
        let (at, enrollment, step) = after.unwrap_or((i64::MIN, i64::MIN, i32::MIN));
        let query = query(LIST)
            .bind(channel.map(Channel::number))
            .bind(at)
            .bind(enrollment)
            .bind(step)
            .bind(limit);
        let rows = query.fetch_all(self.read()).await?;
        rows.iter().map(ledger::line).collect()
    }
}

/// Lists these: enrollment, step, channel.
pub(super) async fn add(tx: &mut Tx, rows: &[(i64, i32, i64)]) -> Result<()> {
    if !rows.is_empty() {
        query(ADD).bind(json(rows)).execute(tx).await?;
    }
    Ok(())
}

/// What is certain now is listed no more.
pub(super) async fn remove(tx: &mut Tx, keys: &[(i64, i32)]) -> Result<()> {
    if !keys.is_empty() {
        query(REMOVE).bind(json(keys)).execute(tx).await?;
    }
    Ok(())
}
