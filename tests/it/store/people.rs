//! Owns what the suite writes past the store: enrollments and dispatches, which the engine makes.

use drumbeat::domain::ids::CustomerId;
use jiff::Timestamp;

use super::rig::{Fresh, now};

/// A dispatch to write.
pub(super) struct Sent {
    pub(super) enrollment: i64,
    pub(super) step: i32,
    pub(super) channel: i64,
    pub(super) state: i64,
    pub(super) at: Timestamp,
}

impl Fresh {
    /// A waiting enrollment, started now; returns its number.
    pub(super) async fn enroll(&self, customer: CustomerId, flow: i32, sequence: i64) -> i64 {
        self.enroll_at(customer, flow, sequence, now()).await
    }

    pub(super) async fn enroll_at(
        &self,
        customer: CustomerId,
        flow: i32,
        sequence: i64,
        at: Timestamp,
    ) -> i64 {
        let bucket = customer.bucket();
        let number = bucket.base() | sequence;
        let at = at.as_microsecond();
        self.execute(&format!(
            "INSERT INTO enrollments (bucket, enrollment_id, customer_id, flow, entry, status, \
             lane, due, anchor, planned, started_at, started_revision, timed_revision) \
             VALUES ({}, {number}, {customer}, {flow}, {sequence}, 1, 1, {at}, {at}, {at}, {at}, 1, 1)",
            bucket.0
        ))
        .await;
        number
    }

    pub(super) async fn send(&self, sent: &Sent) {
        let (bucket, at) = (sent.enrollment >> 48, sent.at.as_microsecond());
        self.execute(&format!(
            "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, attempt, \
             incarnation, first_at, at) \
             VALUES ({bucket}, {}, {}, {}, {}, 1, 1, {at}, {at})",
            sent.enrollment, sent.step, sent.channel, sent.state
        ))
        .await;
    }
}
