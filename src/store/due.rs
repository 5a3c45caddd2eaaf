//! Owns the reading of the due index: whose time has come, and when the next one's does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::db::Store;
use super::dialect::listed;
use super::error::{Error, Result};
use super::instants::{instant, micros};
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use crate::domain::channel::Lane;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, NameNo, RevisionNo, Stripes};

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
    /// What became of this step before, in the same run.
    pub earlier: Option<Earlier>,
}

impl Due {
    /// The step was had already, when the flow had another order: nobody gets it twice.
    pub fn is_had(&self) -> bool {
        self.earlier.is_some_and(|earlier| earlier.state.is_final())
    }
}

/// An earlier claim of the same step, or why it was withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub state: DispatchState,
    pub attempt: u32,
    pub first_at: Timestamp,
    pub incarnation: Incarnation,
}

const DUE: &str = concat!(
    listed!(
        "e.enrollment_id, e.customer_id, e.flow, coalesce(e.step, 0), e.due, e.anchor, e.planned, \
         e.started_at, e.timed_revision, d.state, d.attempt, d.first_at, d.incarnation"
    ),
    "@due AS e LEFT JOIN dispatches AS d ON d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND d.step = e.step"
);
const NEXT_DUE: &str = "@everywhere(waiting)SELECT min(due) FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND lane = $1 AND due IS NOT NULL";
const NEXT_DUES: &str = concat!(
    listed!("l.lane, @nextdue"),
    "(SELECT value AS lane FROM @numbers($1) AS n) AS l"
);
const COUNT_DUE: &str = "@everywhere(people)SELECT count(*) FROM enrollments WHERE bucket BETWEEN 0 AND 1023 \
     AND lane = $1 AND due <= $2";

pub(super) const STATEMENTS: &[&str] = &[DUE, NEXT_DUE, NEXT_DUES, COUNT_DUE];

impl Store {
    /// Up to `limit` enrollments of a lane that are due in these stripes, the longest due first.
    pub async fn due(
        &self,
        stripes: &Stripes,
        lane: Lane,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Due>> {
        let query = query(DUE)
            .bind(lane.number())
            .bind(micros(now))
            .bind(limit)
            .bind(json(stripes))
            .at_most(limit);
        let mut rows: Vec<DueRow> = listed(query, self.read()).await?;
        // Shards answer one after the other.
        rows.sort_by_key(|row| row.due);
        rows.truncate(limit as usize);
        rows.into_iter().map(|row| row.due(lane)).collect()
    }

    /// When the next row of a lane is due.
    pub async fn next_due(&self, lane: Lane) -> Result<Option<Timestamp>> {
        let due: Option<i64> = query_scalar(NEXT_DUE)
            .bind(lane.number())
            .fetch_one(self.read())
            .await?;
        due.map(instant).transpose()
    }

    /// When the next row of each lane is due; a lane without one is absent.
    pub async fn next_dues(&self, stripes: &Stripes) -> Result<BTreeMap<Lane, Timestamp>> {
        let lanes = Lane::ALL.map(Lane::number);
        let query = query(NEXT_DUES)
            .bind(json!(lanes).to_string())
            .bind(json(stripes));
        let rows: Vec<(i64, Option<i64>)> = listed(query, self.read()).await?;
        let mut next = BTreeMap::new();
        for (lane, due) in rows {
            if let (Some(lane), Some(due)) = (Lane::from_number(lane), due) {
                let due = instant(due)?;
                let earliest = next.entry(lane).or_insert(due);
                *earliest = due.min(*earliest);
            }
        }
        Ok(next)
    }

    pub async fn count_due(&self, lane: Lane, now: Timestamp) -> Result<u64> {
        let count: i64 = query_scalar(COUNT_DUE)
            .bind(lane.number())
            .bind(micros(now))
            .fetch_one(self.read())
            .await?;
        Ok(count.unsigned_abs())
    }
}

/// A due enrollment as the statement lists it.
#[derive(Deserialize)]
struct DueRow {
    enrollment: i64,
    customer: i64,
    flow: i32,
    step: i32,
    due: i64,
    anchor: i64,
    planned: i64,
    started_at: i64,
    timed_revision: i32,
    state: Option<i64>,
    attempt: Option<u32>,
    first_at: Option<i64>,
    incarnation: Option<i64>,
}

impl DueRow {
    fn due(self, lane: Lane) -> Result<Due> {
        Ok(Due {
            enrollment: EnrollmentId(self.enrollment),
            customer: CustomerId(self.customer),
            flow: NameNo(self.flow),
            step: NameNo(self.step),
            lane,
            due: instant(self.due)?,
            anchor: instant(self.anchor)?,
            planned: instant(self.planned)?,
            started_at: instant(self.started_at)?,
            timed_revision: RevisionNo(self.timed_revision),
            earlier: earlier((self.state, self.attempt, self.first_at, self.incarnation))?,
        })
    }
}

/// State, attempt, first tried at, incarnation of a dispatch, if there is one.
pub(super) type EarlierRow = (Option<i64>, Option<u32>, Option<i64>, Option<i64>);

pub(super) fn earlier(row: EarlierRow) -> Result<Option<Earlier>> {
    let (Some(state), Some(attempt), Some(first_at), Some(incarnation)) = row else {
        return Ok(None);
    };
    let state = DispatchState::from_number(state)
        .ok_or_else(|| Error::Corrupt(format!("{state} is not a dispatch state")))?;
    Ok(Some(Earlier {
        state,
        attempt,
        first_at: instant(first_at)?,
        incarnation: Incarnation(incarnation),
    }))
}
