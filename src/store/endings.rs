//! Owns the ending of every live enrollment of customers who may not go on, many at once.

use jiff::Timestamp;

use super::dialect::ids;
use super::error::Result;
use super::listing::json;
use super::sql::query;
use super::tx::Tx;
use crate::domain::customer::Status;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::CustomerId;

const END: &str = concat!(
    "UPDATE enrollments SET status = $2, exit_reason = $3, finished_at = $4, due = NULL, \
     parked = NULL, held = NULL FROM ",
    ids!(),
    " AS k WHERE enrollments.bucket = k.bucket AND enrollments.customer_id = k.id \
     AND enrollments.status < 10"
);

pub(super) const STATEMENTS: &[&str] = &[END];

/// Ends the runs of these customers; how many ended.
pub(super) async fn end(
    tx: &mut Tx,
    customers: &[CustomerId],
    reason: ExitReason,
    at: Timestamp,
) -> Result<u64> {
    if customers.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    query(END)
        .bind(json(&ids))
        .bind(EnrollmentStatus::Exited.number())
        .bind(reason.number())
        .bind(at.as_microsecond())
        .execute(tx)
        .await
}

/// Ends them for a status, unless it is one that lets them go on.
pub(super) async fn end_for(
    tx: &mut Tx,
    customers: &[CustomerId],
    status: Status,
    at: Timestamp,
) -> Result<u64> {
    match status {
        Status::Active => Ok(0),
        Status::Suspended => end(tx, customers, ExitReason::Suspended, at).await,
        Status::Discarded => end(tx, customers, ExitReason::Discarded, at).await,
    }
}
