//! Owns how a flow's rows leave the due index and return to it: pauses, stops, new timing.

use jiff::{SignedDuration, Timestamp};

use crate::domain::channel::Lane;
use crate::domain::dispatch::Reason;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::{BUCKETS, CustomerId, EnrollmentId, NameNo, RevisionNo};
use crate::domain::touched::Touched;

use super::closing::close_deferred;
use super::db::Store;
use super::dialect::rows;
use super::dirty;
use super::error::Result;
use super::instants::{instant, micros};
use super::sql::query;

/// How parked rows come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// Their times move by this.
    ShiftedBy(SignedDuration),
    AsTheyWere,
}

/// A waiting enrollment whose timing is older than its flow's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untimed {
    pub enrollment: EnrollmentId,
    pub step: NameNo,
    pub anchor: Timestamp,
    pub zone: Option<String>,
}

/// A new time for a waiting enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    pub enrollment: EnrollmentId,
    pub step: NameNo,
    pub lane: Lane,
    pub planned: Timestamp,
}

const PARK: &str = "UPDATE enrollments SET parked = due, due = NULL, held = 4 \
     WHERE (bucket, enrollment_id) IN (SELECT bucket, enrollment_id FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 AND status = 1 AND due IS NOT NULL LIMIT $2)";
// What the gate put off while its flow was paused came to wait after the others were parked.
const PARK_LATECOMERS: &str = "UPDATE enrollments SET parked = planned, due = NULL \
     WHERE (bucket, enrollment_id) IN (SELECT bucket, enrollment_id FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 AND status = 1 AND due IS NOT NULL \
     AND held = 4 LIMIT $2)";
const UNPARK: &str = "UPDATE enrollments SET due = parked + $3, planned = planned + $3, \
     anchor = anchor + $3, parked = NULL, held = NULL WHERE (bucket, enrollment_id) IN \
     (SELECT bucket, enrollment_id FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 \
     AND parked IS NOT NULL LIMIT $2)";
const STOP: &str = "UPDATE enrollments SET status = $3, exit_reason = $4, finished_at = $5, \
     due = NULL, parked = NULL, held = NULL WHERE (bucket, enrollment_id) IN \
     (SELECT bucket, enrollment_id FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 \
     AND status < 10 AND status < $6 LIMIT $2) RETURNING enrollment_id, customer_id";
const TIME: &str = concat!(
    "UPDATE enrollments SET planned = j.planned, lane = j.lane, \
     due = CASE WHEN enrollments.parked IS NULL THEN j.planned END, \
     parked = CASE WHEN enrollments.parked IS NOT NULL THEN j.planned END, \
     timed_revision = $2, held = CASE WHEN enrollments.parked IS NOT NULL THEN 4 END FROM ",
    rows!(id BIGINT 0, step BIGINT 1, planned BIGINT 2, lane BIGINT 3),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.step = j.step AND enrollments.status = 1"
);
const FREEZE_TIMING: &str = "UPDATE enrollments SET timed_revision = $2 WHERE \
     (bucket, enrollment_id) IN (SELECT bucket, enrollment_id FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 AND status = 1 AND timed_revision > 0 \
     AND timed_revision < $2 LIMIT $3)";
const SUCCESSORS: &str = "SELECT step, successor FROM removed_steps";

pub(super) const STATEMENTS: &[&str] = &[
    PARK,
    PARK_LATECOMERS,
    UNPARK,
    STOP,
    TIME,
    FREEZE_TIMING,
    SUCCESSORS,
];

/// Who leaves a flow that is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Everybody,
    /// Those who wait to be let in.
    WhoHasNotEntered,
}

impl Store {
    /// Takes up to `limit` waiting rows of a flow out of the due index.
    pub async fn park(&self, flow: NameNo, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let done = query(PARK)
            .bind(flow.0)
            .bind(limit)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Takes up to `limit` rows that fell due during the pause out of the due index, too.
    pub async fn park_latecomers(&self, flow: NameNo, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let query = query(PARK_LATECOMERS).bind(flow.0).bind(limit);
        let done = query.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Puts up to `limit` parked rows of a flow back.
    pub async fn unpark(&self, flow: NameNo, how: Return, limit: u32) -> Result<u64> {
        let shift = match how {
            Return::ShiftedBy(by) => i64::try_from(by.as_micros()).unwrap_or(0),
            Return::AsTheyWere => 0,
        };
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let query = query(UNPARK).bind(flow.0).bind(limit).bind(shift);
        let done = query.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Ends up to `limit` enrollments of a stopped flow. With `marks`, those customers are looked
    /// at again, because a segment asks who is in a flow.
    pub async fn stop_enrollments(
        &self,
        (flow, who): (NameNo, Stopped),
        limit: u32,
        at: Timestamp,
        marks: bool,
    ) -> Result<u64> {
        let below = match who {
            Stopped::Everybody => EnrollmentStatus::Completed,
            Stopped::WhoHasNotEntered => EnrollmentStatus::Waiting,
        };
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let rows = query(STOP)
            .bind(flow.0)
            .bind(limit)
            .bind(EnrollmentStatus::Exited.number())
            .bind(ExitReason::FlowStopped.number())
            .bind(micros(at))
            .bind(below.number())
            .fetch_all(&mut tx)
            .await?;
        let column = |place| rows.iter().map(move |row| row.try_get(place));
        let ended: Vec<i64> = column(0).collect::<Result<_>>()?;
        close_deferred(&mut tx, &ended, Reason::FlowStopped, at).await?;
        if marks {
            let left: Vec<i64> = column(1).collect::<Result<_>>()?;
            let left = left
                .into_iter()
                .map(|id| (CustomerId(id), Touched::IN_FLOW));
            dirty::mark_each(&mut tx, left).await?;
        }
        tx.commit().await?;
        Ok(ended.len() as u64)
    }

    /// Up to `limit` waiting enrollments of a flow that were timed before a revision.
    pub async fn untimed(
        &self,
        flow: NameNo,
        before: RevisionNo,
        zone_field: &str,
        limit: u32,
    ) -> Result<Vec<Untimed>> {
        let rows = query(untimed_sql(zone_field))
            .bind(flow.0)
            .bind(before.0)
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Untimed {
                    enrollment: EnrollmentId(row.try_get(0)?),
                    step: NameNo(row.try_get(1)?),
                    anchor: instant(row.try_get(2)?)?,
                    zone: row.try_get(3)?,
                })
            })
            .collect()
    }

    pub async fn time(&self, timed: &[Timed], revision: RevisionNo) -> Result<u64> {
        let rows: Vec<_> = timed
            .iter()
            .map(|row| {
                (
                    row.enrollment.0,
                    row.step.0,
                    micros(row.planned),
                    row.lane.number(),
                )
            })
            .collect();
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let done = query(TIME)
            .bind(serde_json::to_string(&rows).unwrap_or_default())
            .bind(revision.0)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Lets up to `limit` waiting enrollments keep the time they have under a new revision.
    pub async fn keep_timing(&self, flow: NameNo, revision: RevisionNo, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let query = query(FREEZE_TIMING)
            .bind(flow.0)
            .bind(revision.0)
            .bind(limit);
        let done = query.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Where the people of removed steps go: to a step, or to the end.
    pub async fn successors(&self) -> Result<Vec<(NameNo, Option<NameNo>)>> {
        let rows = query(SUCCESSORS).fetch_all(self.read()).await?;
        rows.iter()
            .map(|row| {
                let successor: Option<i32> = row.try_get(1)?;
                Ok((NameNo(row.try_get(0)?), successor.map(NameNo)))
            })
            .collect()
    }
}

fn untimed_sql(zone_field: &str) -> String {
    format!(
        "@everywhere(upkeep)SELECT e.enrollment_id, e.step, e.anchor, c.f_{zone_field} FROM enrollments AS e \
         JOIN customers AS c ON c.bucket = e.bucket AND c.customer_id = e.customer_id \
         WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND e.status = 1 \
         AND e.timed_revision < $2 AND (e.due IS NOT NULL OR e.parked IS NOT NULL) LIMIT $3"
    )
}
