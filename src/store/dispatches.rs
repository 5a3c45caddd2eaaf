//! Owns the ledger of dispatches: what was sent lately, what is frozen, and what an earlier start left behind.

use std::collections::HashMap;

use jiff::Timestamp;

use super::among::numbers;
use super::db::Store;
use super::dialect::{ids, rows};
use super::error::Result;
use super::holding::Holding;
use super::instants::{instant, micros};
use super::listing::json;
use super::nodes::Grip;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, NameNo, Stripes};

const FROZEN: &str = concat!(
    "SELECT f.enrollment_id, f.body FROM ",
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j CROSS JOIN frozen_messages AS f WHERE f.bucket = j.id >> 48 AND f.enrollment_id = j.id \
     AND f.step = j.step"
);
const ABANDONED: &str = "SELECT e.enrollment_id, e.customer_id, e.flow, d.step, d.channel, \
     d.attempt, d.first_at, d.incarnation, e.status, e.exit_reason FROM dispatches AS d \
     JOIN enrollments AS e ON e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     WHERE d.bucket BETWEEN $1 AND $2 AND d.state = 0";
const RELEASE: &str = concat!(
    "UPDATE enrollments SET due = $2 WHERE status = 2 AND (bucket, enrollment_id) IN \
     (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const UNCLAIM: &str = concat!(
    "UPDATE dispatches SET state = $2, at = $3 WHERE state = 0 AND (bucket, enrollment_id) IN \
     (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const OWN: &str = concat!(
    "SELECT d.enrollment_id FROM ",
    ids!(),
    " AS k CROSS JOIN dispatches AS d WHERE d.bucket = k.bucket AND d.enrollment_id = k.id \
     AND d.state = 0 AND d.incarnation = $2"
);
const RECENT: &str = concat!(
    "SELECT e.customer_id, d.channel, d.first_at FROM ",
    ids!(),
    " AS k CROSS JOIN enrollments AS e CROSS JOIN dispatches AS d WHERE e.bucket = k.bucket \
     AND e.customer_id = k.id AND d.bucket = e.bucket AND d.enrollment_id = e.enrollment_id \
     AND d.state IN (0, 1, 2, 3, 6, 8) AND d.first_at > $2"
);

const THAW: &str = concat!(
    "DELETE FROM frozen_messages WHERE (bucket, enrollment_id, step) IN \
     (SELECT j.id >> 48, j.id, j.step FROM ",
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j)"
);

pub(super) const STATEMENTS: &[&str] = &[FROZEN, ABANDONED, RELEASE, UNCLAIM, OWN, RECENT, THAW];

/// A claim that nobody settles: of an earlier start of the daemon, of another node, or of this one from
/// before it lost the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    pub enrollment: EnrollmentId,
    pub customer: CustomerId,
    pub flow: NameNo,
    pub step: NameNo,
    pub channel: Option<Channel>,
    pub attempt: u32,
    pub first_at: Timestamp,
    pub incarnation: Incarnation,
    /// Why its enrollment ended while the message was out; none: it is still live.
    pub ended: Option<Reason>,
}

impl Store {
    /// The frozen messages of these claims, by enrollment.
    pub async fn frozen(
        &self,
        claims: &[(EnrollmentId, NameNo)],
    ) -> Result<HashMap<EnrollmentId, String>> {
        let keys: Vec<_> = claims.iter().map(|(id, step)| (id.0, step.0)).collect();
        let rows = query(FROZEN)
            .bind(json(&keys))
            .fetch_all(self.read())
            .await?;
        rows.iter()
            .map(|row| Ok((EnrollmentId(row.try_get(0)?), row.try_get(1)?)))
            .collect()
    }

    /// Unsettled claims in these stripes, where nobody sends any more.
    pub async fn abandoned(&self, stripes: &Stripes) -> Result<Vec<Abandoned>> {
        let mut rows = Vec::new();
        for buckets in stripes.ranges() {
            let asked = query(ABANDONED).bind(*buckets.start()).bind(*buckets.end());
            rows.extend(asked.fetch_all(self.read()).await?);
        }
        rows.iter()
            .map(|row| {
                Ok(Abandoned {
                    enrollment: EnrollmentId(row.try_get(0)?),
                    customer: CustomerId(row.try_get(1)?),
                    flow: NameNo(row.try_get(2)?),
                    step: NameNo(row.try_get(3)?),
                    channel: Channel::from_number(row.try_get(4)?),
                    attempt: row.try_get(5)?,
                    first_at: instant(row.try_get(6)?)?,
                    incarnation: Incarnation(row.try_get(7)?),
                    ended: ended(row.try_get(8)?, row.try_get(9)?),
                })
            })
            .collect()
    }

    /// Makes claims that were certainly not handed over due again: deferred, and their time has come.
    pub async fn release(&self, enrollments: &[EnrollmentId], now: Timestamp) -> Result<u64> {
        let buckets = enrollments.iter().map(|id| id.bucket());
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Shared).await?;
        let kept = enrollments.iter().filter(|id| !lost.contains(&id.bucket()));
        let rows: Vec<i64> = kept.map(|id| id.0).collect();
        let done = release(&mut tx, &rows, now).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Makes those of the enrollments due again whose claim by this start is written and that nobody
    /// sends; how many. Whatever was to write the claims keeps their buckets until it has ended, be it
    /// that it takes place only now.
    pub async fn unclaim(
        &self,
        enrollments: &[EnrollmentId],
        incarnation: Incarnation,
        now: Timestamp,
    ) -> Result<u64> {
        let buckets = enrollments.iter().map(|id| id.bucket());
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Alone).await?;
        let kept = enrollments.iter().filter(|id| !lost.contains(&id.bucket()));
        let ids: Vec<i64> = kept.map(|id| id.0).collect();
        let own: Vec<i64> = query_scalar(OWN)
            .bind(json(&ids))
            .bind(incarnation.0)
            .fetch_all(&mut tx)
            .await?;
        let done = release(&mut tx, &own, now).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// The messages these customers were sent, or are being sent, since an instant.
    pub async fn recent_dispatches(
        &self,
        customers: &[CustomerId],
        since: Timestamp,
    ) -> Result<Vec<(CustomerId, Channel, Timestamp)>> {
        let rows = query(RECENT)
            .bind(numbers(customers))
            .bind(micros(since))
            .fetch_all(self.read())
            .await?;
        let mut recent = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(channel) = Channel::from_number(row.try_get(1)?) else {
                continue;
            };
            recent.push((
                CustomerId(row.try_get(0)?),
                channel,
                instant(row.try_get(2)?)?,
            ));
        }
        Ok(recent)
    }
}

/// Deletes what was rendered of messages for which nothing is awaited any more.
pub(super) async fn thaw(tx: &mut Tx, keys: &[(i64, i32)]) -> Result<()> {
    if !keys.is_empty() {
        query(THAW).bind(json(keys)).execute(tx).await?;
    }
    Ok(())
}

async fn release(tx: &mut Tx, rows: &[i64], now: Timestamp) -> Result<u64> {
    let release = query(RELEASE).bind(json(&rows)).bind(micros(now));
    let done = release.execute(&mut *tx).await?;
    query(UNCLAIM)
        .bind(json(&rows))
        .bind(DispatchState::Deferred.number())
        .bind(micros(now))
        .execute(&mut *tx)
        .await?;
    Ok(done)
}

fn ended(status: i64, exit: Option<i64>) -> Option<Reason> {
    let live = EnrollmentStatus::from_number(status).is_some_and(EnrollmentStatus::is_live);
    let why = exit.and_then(ExitReason::from_number);
    (!live).then(|| why.map_or(Reason::FlowStopped, Reason::from))
}
