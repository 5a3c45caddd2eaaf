//! Owns how enrollments move: to their next step, to their end, always from the step they were seen at.

use jiff::Timestamp;

use crate::domain::channel::Lane;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::{EnrollmentId, NameNo, RevisionNo};

use super::dialect::rows;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::sql::query;
use super::tx::Tx;

/// Where an enrollment goes when a step is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    To {
        step: NameNo,
        lane: Lane,
        anchor: Timestamp,
        planned: Timestamp,
        revision: RevisionNo,
    },
    /// Done; with an instant, it is looked at again then, for another entry.
    Completed { look_again: Option<Timestamp> },
    Exited {
        reason: ExitReason,
        look_again: Option<Timestamp>,
    },
}

impl Move {
    /// Whether the run is over with it.
    pub(super) fn ends(self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Exited { .. })
    }
}

/// One move with its guard: the step, and for claims the due time, that were seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct MoveRow {
    enrollment: EnrollmentId,
    seen: NameNo,
    seen_due: Option<Timestamp>,
    to: Move,
}

/// As `MOVE_ON` unrolls it: id, seen, seen due, step, lane, anchor, planned.
type Onward = (i64, i32, Option<i64>, i32, i64, i64, i64);
/// As `MOVE` unrolls it: id, seen, seen due, status, step, lane, due, anchor, planned, reason,
/// revision.
type Columns = (
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
    Option<i32>,
);

impl MoveRow {
    pub(super) fn new(
        enrollment: EnrollmentId,
        seen: NameNo,
        seen_due: Option<Timestamp>,
        to: &Move,
    ) -> Self {
        Self {
            enrollment,
            seen,
            seen_due,
            to: *to,
        }
    }

    /// The way to a step of this revision.
    fn onward(&self, by: RevisionNo) -> Option<Onward> {
        match self.to {
            Move::To {
                step,
                lane,
                anchor,
                planned,
                revision,
            } if revision == by => {
                let (id, seen) = (self.enrollment.0, self.seen.0);
                let (anchor, planned) = (micros(anchor), micros(planned));
                let due = self.seen_due.map(micros);
                Some((id, seen, due, step.0, lane.number(), anchor, planned))
            }
            _ => None,
        }
    }

    fn revision(&self) -> Option<RevisionNo> {
        match self.to {
            Move::To { revision, .. } => Some(revision),
            Move::Completed { .. } | Move::Exited { .. } => None,
        }
    }

    fn columns(&self) -> Columns {
        let (id, seen, seen_due) = (self.enrollment.0, self.seen.0, self.seen_due.map(micros));
        let ended =
            |status: EnrollmentStatus, reason: Option<ExitReason>, again: Option<Timestamp>| {
                let (lane, reason) = (Lane::Reentry.number(), reason.map(ExitReason::number));
                let again = again.map(micros);
                (
                    id,
                    seen,
                    seen_due,
                    status.number(),
                    None,
                    lane,
                    again,
                    None,
                    None,
                    reason,
                    None,
                )
            };
        match self.to {
            Move::To {
                step,
                lane,
                anchor,
                planned,
                revision,
            } => {
                let (status, planned) = (EnrollmentStatus::Waiting.number(), Some(micros(planned)));
                let (step, lane, anchor) = (Some(step.0), lane.number(), Some(micros(anchor)));
                let revision = Some(revision.0);
                (
                    id, seen, seen_due, status, step, lane, planned, anchor, planned, None,
                    revision,
                )
            }
            Move::Completed { look_again } => ended(EnrollmentStatus::Completed, None, look_again),
            Move::Exited { reason, look_again } => {
                ended(EnrollmentStatus::Exited, Some(reason), look_again)
            }
        }
    }
}

const MOVE: &str = concat!(
    "UPDATE enrollments SET status = j.status, step = coalesce(j.step, enrollments.step), \
     lane = j.lane, due = j.due, anchor = coalesce(j.anchor, enrollments.anchor), \
     planned = coalesce(j.planned, enrollments.planned), exit_reason = j.reason, \
     finished_at = CASE WHEN j.status >= 10 THEN CAST($2 AS BIGINT) END, \
     timed_revision = coalesce(j.revision, enrollments.timed_revision), held = NULL FROM ",
    rows!(id BIGINT 0, seen BIGINT 1, seen_due BIGINT 2, status BIGINT 3, step BIGINT 4,
          lane BIGINT 5, due BIGINT 6, anchor BIGINT 7, planned BIGINT 8, reason BIGINT 9,
          revision BIGINT 10),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.step = j.seen AND (j.seen_due IS NULL OR enrollments.due = j.seen_due) \
     AND enrollments.status < 10"
);

/// The same for those who go on to a step, all by one revision: most do, and it asks for less of each.
const MOVE_ON: &str = concat!(
    "UPDATE enrollments SET status = $2, step = j.step, lane = j.lane, due = j.planned, \
     anchor = j.anchor, planned = j.planned, timed_revision = $3, held = NULL FROM ",
    rows!(id BIGINT 0, seen BIGINT 1, seen_due BIGINT 2, step BIGINT 3, lane BIGINT 4,
          anchor BIGINT 5, planned BIGINT 6),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.step = j.seen AND (j.seen_due IS NULL OR enrollments.due = j.seen_due) \
     AND enrollments.status < 10"
);

pub(super) const STATEMENTS: &[&str] = &[MOVE, MOVE_ON];

/// Moves those that are still where they were seen.
pub(super) async fn apply_moves(tx: &mut Tx, moves: &[MoveRow], now: Timestamp) -> Result<()> {
    let revision = moves.iter().find_map(MoveRow::revision);
    let onward = |row: &MoveRow| revision.and_then(|by| row.onward(by));
    let on: Vec<Onward> = moves.iter().filter_map(onward).collect();
    if let (Some(revision), false) = (revision, on.is_empty()) {
        query(MOVE_ON)
            .bind(json(&on))
            .bind(EnrollmentStatus::Waiting.number())
            .bind(revision.0)
            .execute(&mut *tx)
            .await?;
    }
    let others = moves.iter().filter(|row| onward(row).is_none());
    let others: Vec<Columns> = others.map(MoveRow::columns).collect();
    if !others.is_empty() {
        query(MOVE)
            .bind(json(&others))
            .bind(micros(now))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
