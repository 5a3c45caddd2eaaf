//! Owns who waits in flows, read in strides of buckets by somebody who only looks.

use std::ops::Range;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::db::Store;
use super::due::{Due, earlier};
use super::error::{Error, Result};
use super::instants::instant;
use super::listing::listed;
use super::segment_did::taken;
use super::sql::{query, query_scalar};
use crate::domain::channel::Lane;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo, RevisionNo};

/// Somebody who waits for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub due: Due,
    /// The customer's zone, by name.
    pub zone: Option<String>,
    /// The flow is paused: `due.due` is what it was then.
    pub is_parked: bool,
}

impl Store {
    /// Who waits in these flows, of these buckets.
    pub async fn waits(
        &self,
        flows: &[NameNo],
        zone_field: &str,
        buckets: Range<u16>,
    ) -> Result<Vec<Wait>> {
        let sql = format!(
            "@everywhere(people)SELECT @list(@array(e.enrollment_id, e.customer_id, e.flow, \
             coalesce(e.step, 0), e.lane, coalesce(e.due, e.parked), e.anchor, e.planned, \
             e.started_at, e.timed_revision, c.f_{zone_field}, \
             CASE WHEN e.parked IS NULL THEN 0 ELSE 1 END, \
             d.state, d.attempt, d.first_at, d.incarnation)) \
             FROM enrollments AS e LEFT JOIN customers AS c ON c.bucket = e.bucket \
             AND c.customer_id = e.customer_id LEFT JOIN dispatches AS d ON d.bucket = e.bucket \
             AND d.enrollment_id = e.enrollment_id AND d.step = e.step WHERE e.bucket BETWEEN $1 AND $2 AND e.status = 1 \
             AND (e.due IS NOT NULL OR e.parked IS NOT NULL) \
             AND e.flow IN (SELECT CAST(value AS BIGINT) FROM @each($3))"
        );
        let asked = query(sql)
            .bind(i64::from(buckets.start))
            .bind(i64::from(buckets.end) - 1)
            .bind(json!(flows).to_string());
        let rows: Vec<WaitRow> = listed(asked, self.read()).await?;
        rows.into_iter().map(WaitRow::wait).collect()
    }

    /// Of those who stand at one of these steps, how many were sent the message of another one.
    pub async fn sent_before(&self, at: &[NameNo], sent: NameNo) -> Result<u64> {
        let states = taken();
        let sql = format!(
            "@everywhere(people)SELECT count(*) FROM enrollments AS e CROSS JOIN dispatches AS d \
             WHERE e.bucket BETWEEN 0 AND 1023 AND e.status IN (1, 2) AND d.bucket = e.bucket \
             AND d.enrollment_id = e.enrollment_id AND d.step = $1 AND d.state IN ({states}) \
             AND e.step IN (SELECT CAST(value AS BIGINT) FROM @each($2))"
        );
        let asked = query_scalar(sql).bind(sent.0).bind(json!(at).to_string());
        let count: i64 = asked.fetch_one(self.read()).await?;
        Ok(count.unsigned_abs())
    }
}

/// As the statement lists it.
#[derive(Deserialize)]
struct WaitRow {
    enrollment: i64,
    customer: i64,
    flow: i32,
    step: i32,
    lane: i64,
    due: i64,
    anchor: i64,
    planned: i64,
    started_at: i64,
    timed_revision: i32,
    zone: Option<String>,
    parked: i64,
    state: Option<i64>,
    attempt: Option<u32>,
    first_at: Option<i64>,
    incarnation: Option<i64>,
}

impl WaitRow {
    fn wait(self) -> Result<Wait> {
        let at = |micros: i64| -> Result<Timestamp> { instant(micros) };
        let lane = Lane::from_number(self.lane);
        Ok(Wait {
            due: Due {
                enrollment: EnrollmentId(self.enrollment),
                customer: CustomerId(self.customer),
                flow: NameNo(self.flow),
                step: NameNo(self.step),
                lane: lane
                    .ok_or_else(|| Error::Corrupt(format!("the unknown lane {}", self.lane)))?,
                due: at(self.due)?,
                anchor: at(self.anchor)?,
                planned: at(self.planned)?,
                started_at: at(self.started_at)?,
                timed_revision: RevisionNo(self.timed_revision),
                earlier: earlier((self.state, self.attempt, self.first_at, self.incarnation))?,
            },
            zone: self.zone,
            is_parked: self.parked == 1,
        })
    }
}
