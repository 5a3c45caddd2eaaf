//! Owns messages that the gate withholds: why, and where their customers go on.

use jiff::Timestamp;

use super::dialect::rows;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::moves::{Move, MoveRow, apply_moves};
use super::noting::{self, Message};
use super::sql::query;
use super::still::still;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::ids::{EnrollmentId, Incarnation, NameNo};
use crate::domain::webhook::Fate;

const WITHHELD: &str = concat!(
    "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, reason, attempt, \
     incarnation, first_at, at) SELECT enrollments.bucket, j.id, j.step, j.channel, $2, j.reason, 0, \
     $3, $4, $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, channel BIGINT 3, reason BIGINT 4),
    " AS j CROSS JOIN enrollments WHERE ",
    still!(),
    " ON CONFLICT (bucket, enrollment_id, step) DO UPDATE SET \
     state = excluded.state, reason = excluded.reason, at = excluded.at"
);
const FORGET_RENDERED: &str = concat!(
    "DELETE FROM frozen_messages WHERE (bucket, enrollment_id, step) IN \
     (SELECT enrollments.bucket, enrollments.enrollment_id, enrollments.step FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2),
    " AS j CROSS JOIN enrollments WHERE ",
    still!(),
    ")"
);

pub(super) const STATEMENTS: &[&str] = &[WITHHELD, FORGET_RENDERED];

/// A message that does not go, and where its customer goes on.
pub(super) struct Withheld<'m> {
    pub(super) enrollment: EnrollmentId,
    pub(super) step: NameNo,
    /// When the enrollment was seen to be due.
    pub(super) due: Timestamp,
    pub(super) channel: Channel,
    pub(super) reason: Reason,
    pub(super) then: &'m Move,
}

/// Writes down who gets no message and why, and sends them on.
pub(super) async fn withhold(
    tx: &mut Tx,
    withheld: &[Withheld<'_>],
    incarnation: Incarnation,
    now: Timestamp,
) -> Result<()> {
    if withheld.is_empty() {
        return Ok(());
    }
    let dispatches = withheld.iter().map(|one| {
        let (channel, reason) = (one.channel.number(), one.reason.number());
        (
            one.enrollment.0,
            one.step.0,
            micros(one.due),
            channel,
            reason,
        )
    });
    // All of them keep to the rows that are still as they were seen; the move comes last and ends that.
    let dispatches = json(&dispatches.collect::<Vec<_>>());
    query(WITHHELD)
        .bind(&dispatches)
        .bind(DispatchState::Withheld.number())
        .bind(incarnation.0)
        .bind(micros(now))
        .execute(&mut *tx)
        .await?;
    query(FORGET_RENDERED)
        .bind(dispatches)
        .execute(&mut *tx)
        .await?;
    if noting::is_told(tx, Fate::Withheld) {
        let told: Vec<Message> = withheld.iter().map(message).collect();
        noting::of_messages_still(tx, &told, now).await?;
    }
    let moves = withheld.iter();
    let moves = moves.map(|one| MoveRow::new(one.enrollment, one.step, Some(one.due), one.then));
    apply_moves(tx, &moves.collect::<Vec<_>>(), now).await
}

fn message(one: &Withheld<'_>) -> Message {
    Message {
        enrollment: one.enrollment,
        step: one.step,
        due: one.due,
        fate: Fate::Withheld,
        body: noting::said(one.channel, Some(one.reason)),
    }
}
