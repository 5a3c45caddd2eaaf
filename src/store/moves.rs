//! Owns how enrollments move: to their next step, to their end, always from the step they were seen at.

use jiff::Timestamp;
use sqlx::Row as _;

use crate::domain::channel::Lane;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::{EnrollmentId, NameNo, RevisionNo};

use super::Result;
use super::db::Tx;
use super::instant::micros;

/// Where an enrollment goes when a step is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    To { step: NameNo, lane: Lane, anchor: Timestamp, planned: Timestamp, revision: RevisionNo },
    /// Done; with an instant, it is looked at again then, for another entry.
    Completed { look_again: Option<Timestamp> },
    Exited { reason: ExitReason, look_again: Option<Timestamp> },
}

/// One move with its guard: the step, and for claims the due time, that were seen.
/// bucket, enrollment, seen step, seen due, then status, step, lane, due, anchor, planned, reason, finished, revision.
#[derive(serde::Serialize)]
pub(super) struct MoveRow(
    u16,
    i64,
    i32,
    Option<i64>,
    i64,
    Option<i32>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    bool,
    Option<i32>,
);

impl MoveRow {
    pub(super) fn new(
        enrollment: EnrollmentId,
        seen: NameNo,
        seen_due: Option<i64>,
        to: &Move,
    ) -> Self {
        let bucket = enrollment.bucket().0;
        let ended = |status: EnrollmentStatus, reason: Option<ExitReason>, again: Option<Timestamp>| {
            Self(
                bucket,
                enrollment.0,
                seen.0,
                seen_due,
                status.number(),
                None,
                Lane::Reentry.number(),
                again.map(micros),
                None,
                None,
                reason.map(ExitReason::number),
                true,
                None,
            )
        };
        match to {
            Move::To { step, lane, anchor, planned, revision } => Self(
                bucket,
                enrollment.0,
                seen.0,
                seen_due,
                EnrollmentStatus::Waiting.number(),
                Some(step.0),
                lane.number(),
                Some(micros(*planned)),
                Some(micros(*anchor)),
                Some(micros(*planned)),
                None,
                false,
                Some(revision.0),
            ),
            Move::Completed { look_again } => ended(EnrollmentStatus::Completed, None, *look_again),
            Move::Exited { reason, look_again } => {
                ended(EnrollmentStatus::Exited, Some(*reason), *look_again)
            }
        }
    }
}

const MOVE: &str = "UPDATE enrollments SET status = v.value ->> 4, \
     step = coalesce(v.value ->> 5, enrollments.step), lane = v.value ->> 6, due = v.value ->> 7, \
     anchor = coalesce(v.value ->> 8, enrollments.anchor), \
     planned = coalesce(v.value ->> 9, enrollments.planned), exit_reason = v.value ->> 10, \
     finished_at = CASE WHEN (v.value ->> 11) THEN $2 END, \
     timed_revision = coalesce(v.value ->> 12, enrollments.timed_revision), held = NULL \
     FROM json_each($1) v WHERE enrollments.bucket = (v.value ->> 0) \
     AND enrollments.enrollment_id = (v.value ->> 1) AND enrollments.step = (v.value ->> 2) \
     AND ((v.value ->> 3) IS NULL OR enrollments.due = (v.value ->> 3)) \
     AND enrollments.status < 10 RETURNING enrollment_id";

pub(super) const STATEMENTS: &[&str] = &[MOVE];

/// Moves those that are still where they were seen; which were.
pub(super) async fn apply_moves(
    tx: &mut Tx,
    moves: &[MoveRow],
    now: Timestamp,
) -> Result<Vec<EnrollmentId>> {
    let rows = sqlx::query(MOVE)
        .bind(serde_json::to_string(moves).unwrap_or_default())
        .bind(micros(now))
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.iter().map(|row| EnrollmentId(row.get(0))).collect())
}
