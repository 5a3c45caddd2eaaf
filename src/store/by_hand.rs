//! Owns what a person asks to be sent to one customer: a run of a single step, due at once.

use jiff::Timestamp;

use super::changes;
use super::db::Store;
use super::error::Result;
use super::interactions;
use super::sequences;
use super::sql::query;
use super::tx::Tx;
use crate::domain::channel::Lane;
use crate::domain::enrollment::EnrollmentStatus;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo, RevisionNo};
use crate::domain::interaction::Interaction;

const ENTER: &str = "INSERT INTO enrollments (bucket, enrollment_id, customer_id, flow, entry, status, \
     step, lane, due, anchor, planned, started_at, started_revision, timed_revision) \
     SELECT c.bucket, $3, c.customer_id, $4, coalesce((SELECT max(p.entry) FROM enrollments AS p \
     WHERE p.bucket = $1 AND p.customer_id = $2 AND p.flow = $4), 0) + 1, $5, $6, $7, $8, $8, $8, $8, \
     $9, $9 FROM customers AS c WHERE c.bucket = $1 AND c.customer_id = $2";

pub(super) const STATEMENTS: &[&str] = &[ENTER];

/// A step that is to be taken now, under a revision.
#[derive(Debug, Clone, Copy)]
pub struct ByHand {
    pub flow: NameNo,
    pub step: NameNo,
    pub lane: Lane,
    pub revision: RevisionNo,
}

impl Store {
    /// Lets the customer of the line into the flow, beside whatever run of it is live, and writes the
    /// line into the history. The step is due at the line's instant.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] when the customer is not there.
    pub async fn send_by_hand(&self, what: ByHand, line: &Interaction) -> Result<EnrollmentId> {
        let (customer, at): (_, Timestamp) = (line.customer, line.at);
        let mut tx = self.write_about(&[customer]).await?;
        let entered = enter(&mut tx, what, customer, at).await?;
        let enrollment = entered.ok_or_else(|| changes::unknown(customer))?;
        interactions::insert(&mut tx, std::slice::from_ref(line)).await?;
        tx.commit().await?;
        Ok(enrollment)
    }
}

/// Lets a customer into the flow; none: they are not there.
pub(super) async fn enter(
    tx: &mut Tx,
    what: ByHand,
    customer: CustomerId,
    at: Timestamp,
) -> Result<Option<EnrollmentId>> {
    let sequence = sequences::take(&mut *tx, "enrollment", 1).await?;
    let enrollment = EnrollmentId::new(customer.bucket(), sequence);
    let entered = query(ENTER)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(enrollment.0)
        .bind(what.flow.0)
        .bind(EnrollmentStatus::Waiting.number())
        .bind(what.step.0)
        .bind(what.lane.number())
        .bind(at.as_microsecond())
        .bind(what.revision.0)
        .execute(&mut *tx)
        .await?;
    Ok((entered > 0).then_some(enrollment))
}
