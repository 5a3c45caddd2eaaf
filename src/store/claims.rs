//! Owns the claim: what is due is read in one batch, and what was decided about it is written in one transaction.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::channel::{Channel, Lane};
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, HeldBecause};
use crate::domain::ids::{Bucket, CustomerId, EnrollmentId, Incarnation, NameNo, RevisionNo};

use super::db::{Store, Tx};
use super::dialect::rows;
use super::error::{Error, Result};
use super::instants::{instant, micros};
use super::moves::{Move, MoveRow, apply_moves};
use super::settlements::THAW;
use super::suppressions;

/// An enrollment whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub enrollment: EnrollmentId,
    pub customer: CustomerId,
    pub flow: NameNo,
    pub step: NameNo,
    pub lane: Lane,
    pub due: Timestamp,
    pub anchor: Timestamp,
    pub planned: Timestamp,
    pub started_at: Timestamp,
    pub timed_revision: RevisionNo,
    /// The dispatch of this step, when it was claimed before.
    pub earlier: Option<Earlier>,
}

/// An earlier claim of the same step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub state: DispatchState,
    pub attempt: u32,
    pub first_at: Timestamp,
    pub incarnation: Incarnation,
}

/// What was decided about a due enrollment, with what it was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub enrollment: EnrollmentId,
    pub customer: CustomerId,
    pub step: NameNo,
    /// The due time that was seen; a row that moved since stays as it is.
    pub due: Timestamp,
    /// The customer's mark that was seen; a claim that saw an older one does not take place.
    pub consent_rev: i64,
    pub decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Claim {
        channel: Channel,
        /// Where the message goes; an address that was suppressed meanwhile is not claimed for.
        address: String,
        attempt: u32,
        first_at: Timestamp,
        lease_until: Timestamp,
    },
    Hold {
        until: Timestamp,
        because: HeldBecause,
    },
    /// The step's time was computed anew.
    Retime {
        planned: Timestamp,
        revision: RevisionNo,
    },
    Withhold {
        channel: Channel,
        reason: Reason,
        then: Move,
    },
    /// A waiting place is over, or a removed step is left.
    Pass(Move),
}

impl Decided {
    fn seen(&self) -> (i64, i32, i64) {
        (self.enrollment.0, self.step.0, micros(self.due))
    }
}

const DUE: &str = "SELECT e.enrollment_id, e.customer_id, e.flow, e.step, e.due, e.anchor, \
     e.planned, e.started_at, e.timed_revision, d.state, d.attempt, d.first_at, d.incarnation \
     FROM enrollments e LEFT JOIN dispatches d ON e.status = 2 AND d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND d.step = e.step \
     WHERE e.bucket BETWEEN 0 AND 1023 AND e.lane = $1 AND e.due <= $2 ORDER BY e.lane, e.due LIMIT $3";
const NEXT_DUE: &str = "SELECT min(due) FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND lane = $1 AND due IS NOT NULL";
const COUNT_DUE: &str =
    "SELECT count(*) FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND lane = $1 AND due <= $2";

/// Each row is still as it was seen: the same step, the same due time, not ended.
macro_rules! still {
    () => {
        "enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
         AND enrollments.step = j.step AND enrollments.due = j.due AND enrollments.status < 10"
    };
}

const CLAIM: &str = concat!(
    "UPDATE enrollments SET status = $2, held = NULL, due = j.lease FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, customer BIGINT 3, rev BIGINT 4, lease BIGINT 5,
          channel BIGINT 6, place BIGINT 7, address TEXT 8),
    " AS j JOIN customers AS c ON c.bucket = j.customer >> 48 AND c.customer_id = j.customer \
     AND c.consent_rev = j.rev WHERE ",
    still!(),
    " AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.bucket = j.place \
     AND s.channel = j.channel AND s.address = j.address) RETURNING enrollment_id"
);
const CLAIMED: &str = concat!(
    "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, attempt, incarnation, \
     first_at, at) SELECT j.id >> 48, j.id, j.step, j.channel, $2, j.attempt, $3, j.first_at, $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, channel BIGINT 2, attempt BIGINT 3, first_at BIGINT 4),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO UPDATE SET \
     state = excluded.state, attempt = excluded.attempt, incarnation = excluded.incarnation, \
     at = excluded.at, detail = NULL, reason = NULL"
);
const HOLD: &str = concat!(
    "UPDATE enrollments SET due = j.until, held = j.because FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, until BIGINT 3, because BIGINT 4),
    " AS j WHERE ",
    still!()
);
const RETIME: &str = concat!(
    "UPDATE enrollments SET due = j.planned, planned = j.planned, timed_revision = j.revision, \
     held = NULL FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, planned BIGINT 3, revision BIGINT 4),
    " AS j WHERE ",
    still!()
);
const WITHHELD: &str = concat!(
    "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, reason, attempt, \
     incarnation, first_at, at) SELECT j.id >> 48, j.id, j.step, j.channel, $2, j.reason, 0, $3, $4, $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, channel BIGINT 2, reason BIGINT 3),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO UPDATE SET \
     state = excluded.state, reason = excluded.reason, at = excluded.at"
);

pub(super) const STATEMENTS: &[&str] = &[
    DUE, NEXT_DUE, COUNT_DUE, CLAIM, CLAIMED, HOLD, RETIME, WITHHELD,
];

impl Store {
    /// Up to `limit` enrollments of a lane that are due, the longest due first.
    pub async fn due(&self, lane: Lane, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let rows = sqlx::query(DUE)
            .bind(lane.number())
            .bind(micros(now))
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(|row| due(row, lane)).collect()
    }

    /// When the next row of a lane is due.
    pub async fn next_due(&self, lane: Lane) -> Result<Option<Timestamp>> {
        let due: Option<i64> = sqlx::query_scalar(NEXT_DUE)
            .bind(lane.number())
            .fetch_one(self.read())
            .await?;
        due.map(instant).transpose()
    }

    pub async fn count_due(&self, lane: Lane, now: Timestamp) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(COUNT_DUE)
            .bind(lane.number())
            .bind(micros(now))
            .fetch_one(self.read())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Writes what was decided, in one transaction. The enrollments that were claimed: a row that
    /// moved since it was read, or whose customer's consent did, or whose address was suppressed, is
    /// left as it is and stays due.
    pub async fn write_decisions(
        &self,
        decided: &[Decided],
        incarnation: Incarnation,
        now: Timestamp,
    ) -> Result<Vec<EnrollmentId>> {
        let mut tx = self.write().await?;
        let claimed = claim(&mut tx, decided, incarnation, now).await?;
        put_off(&mut tx, decided).await?;
        withhold(&mut tx, decided, incarnation, now).await?;
        pass(&mut tx, decided, now).await?;
        tx.commit().await?;
        Ok(claimed)
    }
}

fn due(row: &SqliteRow, lane: Lane) -> Result<Due> {
    let step: Option<i32> = row.get(3);
    let earlier = match row.get::<Option<i64>, _>(9) {
        None => None,
        Some(state) => Some(Earlier {
            state: DispatchState::from_number(state)
                .ok_or_else(|| Error::Corrupt(format!("{state} is not a dispatch state")))?,
            attempt: row.get(10),
            first_at: instant(row.get(11))?,
            incarnation: Incarnation(row.get(12)),
        }),
    };
    Ok(Due {
        enrollment: EnrollmentId(row.get(0)),
        customer: CustomerId(row.get(1)),
        flow: NameNo(row.get(2)),
        step: NameNo(step.unwrap_or_default()),
        lane,
        due: instant(row.get(4))?,
        anchor: instant(row.get(5))?,
        planned: instant(row.get(6))?,
        started_at: instant(row.get(7))?,
        timed_revision: RevisionNo(row.get(8)),
        earlier,
    })
}

fn json<T: serde::Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}

async fn claim(
    tx: &mut Tx,
    decided: &[Decided],
    incarnation: Incarnation,
    now: Timestamp,
) -> Result<Vec<EnrollmentId>> {
    let mut rows = Vec::new();
    let mut dispatches = HashMap::new();
    for row in decided {
        let Decision::Claim {
            channel,
            address,
            attempt,
            first_at,
            lease_until,
        } = &row.decision
        else {
            continue;
        };
        let (id, step, due) = row.seen();
        let address = suppressions::key(address);
        rows.push((
            id,
            step,
            due,
            row.customer.0,
            row.consent_rev,
            micros(*lease_until),
            channel.number(),
            Bucket::of(&address).0,
            address,
        ));
        dispatches.insert(
            id,
            (id, step, channel.number(), *attempt, micros(*first_at)),
        );
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let taken = sqlx::query(CLAIM)
        .bind(json(&rows))
        .bind(EnrollmentStatus::Sending.number())
        .fetch_all(&mut **tx)
        .await?;
    let taken: Vec<i64> = taken.iter().map(|row| row.get(0)).collect();
    let written: Vec<_> = taken.iter().filter_map(|id| dispatches.get(id)).collect();
    sqlx::query(CLAIMED)
        .bind(json(&written))
        .bind(DispatchState::Claimed.number())
        .bind(incarnation.0)
        .bind(micros(now))
        .execute(&mut **tx)
        .await?;
    Ok(taken.into_iter().map(EnrollmentId).collect())
}

async fn put_off(tx: &mut Tx, decided: &[Decided]) -> Result<()> {
    let (mut held, mut retimed) = (Vec::new(), Vec::new());
    for row in decided {
        let (id, step, due) = row.seen();
        match &row.decision {
            Decision::Hold { until, because } => {
                held.push((id, step, due, micros(*until), because.number()));
            }
            Decision::Retime { planned, revision } => {
                retimed.push((id, step, due, micros(*planned), revision.0));
            }
            _ => {}
        }
    }
    if !held.is_empty() {
        sqlx::query(HOLD)
            .bind(json(&held))
            .execute(&mut **tx)
            .await?;
    }
    if !retimed.is_empty() {
        sqlx::query(RETIME)
            .bind(json(&retimed))
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn withhold(
    tx: &mut Tx,
    decided: &[Decided],
    incarnation: Incarnation,
    now: Timestamp,
) -> Result<()> {
    let mut moves = Vec::new();
    let mut dispatches = HashMap::new();
    for row in decided {
        let Decision::Withhold {
            channel,
            reason,
            then,
        } = &row.decision
        else {
            continue;
        };
        let (id, step, _) = row.seen();
        moves.push(MoveRow::new(row.enrollment, row.step, Some(row.due), then));
        dispatches.insert(id, (id, step, channel.number(), reason.number()));
    }
    if moves.is_empty() {
        return Ok(());
    }
    let moved = apply_moves(tx, &moves, now).await?;
    let written: Vec<_> = moved
        .iter()
        .filter_map(|id| dispatches.get(&id.0))
        .collect();
    sqlx::query(WITHHELD)
        .bind(json(&written))
        .bind(DispatchState::Withheld.number())
        .bind(incarnation.0)
        .bind(micros(now))
        .execute(&mut **tx)
        .await?;
    sqlx::query(THAW)
        .bind(json(&written))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn pass(tx: &mut Tx, decided: &[Decided], now: Timestamp) -> Result<()> {
    let mut moves = Vec::new();
    for row in decided {
        if let Decision::Pass(then) = &row.decision {
            moves.push(MoveRow::new(row.enrollment, row.step, Some(row.due), then));
        }
    }
    if !moves.is_empty() {
        apply_moves(tx, &moves, now).await?;
    }
    Ok(())
}
