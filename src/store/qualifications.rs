//! Owns the moments at which customers come to qualify: membership, entry and exit change together, in one transaction.

use std::ops::Range;

use jiff::Timestamp;

use crate::domain::dispatch::Reason;
use crate::domain::enrollment::ExitReason;
use crate::domain::ids::{BUCKETS, Bucket, CustomerId, NameNo, Stripes};
use crate::domain::segment::Condition;
use crate::domain::touched::Touched;

use super::among::{self, Among};
use super::bind::Bind;
use super::crossings;
use super::db::Store;
use super::dialect::{ids, rows};
use super::dirty::{self, Seen};
use super::enrollments::{self, Entering, EntryAnchor, TimedBy};
use super::error::Result;
use super::goals::{self, Aim};
use super::holding::Holding;
use super::instants::micros;
use super::memberships::{self, Examined, SegmentState};
use super::nodes::Grip;
use super::segment_edges::Edge;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::{composed, query, query_scalar};
use super::standing::{self, Standing};
use super::tx::Tx;

/// A segment that flows use, with what its changes mean to them.
#[derive(Clone)]
pub struct Qualification<'a> {
    pub examined: Examined<'a>,
    /// What of a customer decides about it: nobody else of the changed ones is asked.
    pub asks: Touched,
    pub entering: Vec<Entering<'a>>,
    /// How time moves customers into the segment, out of it or out of a flow.
    pub edges: Vec<Edge>,
    /// Flows that let go of those who leave the segment.
    pub lets_go: Vec<NameNo>,
    /// Whether a segment asks who is in a flow: those who are let go are looked at again.
    pub marks: bool,
}

/// A flow's exit condition.
#[derive(Debug, Clone, Copy)]
pub struct ExitWhen<'a> {
    pub flow: NameNo,
    pub condition: &'a Condition,
    /// What of a customer decides about it, or lets them into the flow.
    pub asks: Touched,
    pub frame: Frame<'a>,
    /// As in [`Qualification`].
    pub marks: bool,
}

/// A step whose time depends on what customers are and do: those who wait at it are looked at again
/// when that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub step: NameNo,
    pub asks: Touched,
}

/// What those who are in flows, or were, are watched for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watching<'a> {
    pub aims: &'a [Aim<'a>],
    pub exits: &'a [ExitWhen<'a>],
    pub looks: &'a [Look],
}

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pass {
    pub customers: u64,
    pub joined: u64,
    pub left: u64,
    pub enrolled: u64,
    pub exited: u64,
    /// What changed of those who were looked at.
    pub touched: Touched,
    /// Nothing was done: flows or segments are elsewhere by now.
    pub moved_on: bool,
}

const CAUGHT_UP: &str = "UPDATE flow_states SET caught_up_to = $2 WHERE flow = $1";
const PROMOTE: &str = concat!(
    "UPDATE enrollments SET status = 1, anchor = $2, started_at = $2, planned = j.due, \
     due = j.due, timed_revision = $3 FROM ",
    rows!(id BIGINT 0, due BIGINT 1),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.status = 0"
);
const DROP_UNQUALIFIED: &str = "DELETE FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 \
     AND status = 0 AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.bucket = enrollments.bucket \
     AND m.segment = $2 AND m.customer_id = enrollments.customer_id) RETURNING customer_id";
const LOOK_AGAIN: &str = concat!(
    "UPDATE enrollments SET due = CASE WHEN parked IS NULL THEN CAST($3 AS BIGINT) END, \
     parked = CASE WHEN parked IS NOT NULL THEN anchor END, timed_revision = 0 \
     WHERE status = 1 AND (due > $3 OR parked IS NOT NULL) AND step = $2 AND (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const COUNT_PENDING: &str = "@everywhere(waiting)SELECT count(*) FROM enrollments WHERE bucket BETWEEN 0 AND 1023 \
     AND flow = $1 AND status = 0";

pub(super) const STATEMENTS: &[&str] = &[
    CAUGHT_UP,
    PROMOTE,
    DROP_UNQUALIFIED,
    LOOK_AGAIN,
    COUNT_PENDING,
];

impl Store {
    /// Examines a segment over some buckets, whoever changed, and remembers how far it got.
    pub async fn examine_buckets(
        &self,
        qualification: &Qualification<'_>,
        buckets: Range<u16>,
        state: &SegmentState,
    ) -> Result<Pass> {
        let mut tx = self.write_leading(buckets.clone()).await?;
        let among = Among::Buckets(buckets);
        let pass = qualify(&mut tx, qualification, &among).await?;
        memberships::save_state(&mut tx, qualification.examined.segment, state).await?;
        tx.commit().await?;
        Ok(pass)
    }

    /// Looks at up to `limit` changed customers of these stripes: who joined or left what, who enters,
    /// who exits. With a standing, it is done only if that is still so: a node that does not know yet
    /// that a flow has caught up would let nobody in, and nobody would look again.
    pub async fn examine_changed(
        &self,
        (stripes, seen_at): (&Stripes, Option<&Standing>),
        qualifications: &[Qualification<'_>],
        watching: &Watching<'_>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Pass> {
        let mut seen = self.seen_dirty(stripes, limit).await?;
        let buckets = seen.iter().map(|row| Bucket::of_number(row.0));
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Alone).await?;
        seen.retain(|row| !lost.contains(&Bucket::of_number(row.0)));
        if seen.is_empty() {
            return Ok(Pass::default());
        }
        if let Some(seen_at) = seen_at
            && standing::standing(&mut tx).await? != *seen_at
        {
            return Ok(Pass {
                moved_on: true,
                ..Pass::default()
            });
        }
        dirty::clean(&mut tx, &seen).await?;
        let changed = Changed::of(&seen);
        let mut pass = Pass {
            customers: seen.len() as u64,
            touched: changed.touched,
            ..Pass::default()
        };
        for qualification in qualifications {
            let asked = changed.meeting(qualification.asks);
            if !asked.is_empty() {
                pass += qualify(&mut tx, qualification, &Among::Customers(&asked)).await?;
            }
        }
        for qualification in qualifications {
            qualification.look_ahead(&mut tx, changed.touched).await?;
        }
        for aim in watching.aims {
            pass.exited += goals::reach(&mut tx, aim, &changed.meeting(aim.asks), now).await?;
        }
        for exit in watching.exits {
            pass.exited += end(&mut tx, exit, &changed.meeting(exit.asks), now).await?;
        }
        for look in watching.looks {
            look_again(&mut tx, look, &changed.meeting(look.asks), now).await?;
        }
        tx.commit().await?;
        Ok(pass)
    }

    /// Enrolls the members of some buckets into a flow that was just activated.
    pub async fn catch_up(&self, entering: &Entering<'_>, buckets: Range<u16>) -> Result<u64> {
        let mut tx = self.write_leading(buckets.clone()).await?;
        let end = buckets.end;
        let enrolled = enrollments::enroll(&mut tx, entering, &Among::Buckets(buckets)).await?;
        query(CAUGHT_UP)
            .bind(entering.flow.0)
            .bind(i32::from(end))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(enrolled)
    }

    /// How many qualified customers wait to be let into a flow.
    pub async fn pending(&self, flow: NameNo) -> Result<u64> {
        let count: i64 = query_scalar(COUNT_PENDING)
            .bind(flow.0)
            .fetch_one(self.read())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Lets in up to `limit` of those who wait, the longest waiting first; who no longer qualifies goes.
    pub async fn promote(&self, entering: &Entering<'_>, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..BUCKETS).await?;
        let dropped: Vec<i64> = query_scalar(DROP_UNQUALIFIED)
            .bind(entering.flow.0)
            .bind(entering.segment.0)
            .fetch_all(&mut tx)
            .await?;
        if entering.marks {
            let dropped: Vec<CustomerId> = dropped.into_iter().map(CustomerId).collect();
            dirty::mark(&mut tx, Touched::IN_FLOW, &dropped).await?;
        }
        let EntryAnchor::At(anchor) = entering.anchor else {
            return Ok(0);
        };
        let rows = query(pending_sql(entering.zone_field))
            .bind(entering.flow.0)
            .bind(limit)
            .fetch_all(&mut tx)
            .await?;
        let promoted: Vec<(i64, i64)> = rows
            .iter()
            .map(|row| {
                let zone: Option<String> = row.try_get(1)?;
                let due = (entering.due)(anchor, zone.as_deref());
                Ok((row.try_get(0)?, micros(due)))
            })
            .collect::<Result<_>>()?;
        let done = query(PROMOTE)
            .bind(serde_json::to_string(&promoted).unwrap_or_default())
            .bind(micros(anchor))
            .bind(match entering.timed_by {
                TimedBy::Customer => 0,
                TimedBy::Nothing | TimedBy::Zone => entering.revision.0,
            })
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}

impl Qualification<'_> {
    /// What has changed can bring the next edge nearer.
    async fn look_ahead(&self, tx: &mut Tx, touched: Touched) -> Result<()> {
        if !self.edges.iter().any(|edge| edge.touches.meets(touched)) {
            return Ok(());
        }
        let examined = &self.examined;
        crossings::bring_nearer(tx, examined.segment, &self.edges, &examined.frame).await
    }
}

/// The customers of a batch with what changed of each.
struct Changed {
    customers: Vec<(CustomerId, Touched)>,
    touched: Touched,
}

impl Changed {
    fn of(seen: &[Seen]) -> Self {
        let mut touched = Touched::NOTHING;
        let each = |(id, _, what): &Seen| {
            let what = Touched::from_bits(*what);
            touched |= what;
            (CustomerId(*id), what)
        };
        let customers = seen.iter().map(each).collect();
        Self { customers, touched }
    }

    /// Those of whom something changed that is asked about.
    fn meeting(&self, asks: Touched) -> Vec<CustomerId> {
        if !self.touched.meets(asks) {
            return Vec::new();
        }
        let meeting = self.customers.iter().filter(|(_, what)| what.meets(asks));
        meeting.map(|(id, _)| *id).collect()
    }
}

/// Ends the runs of those of these customers who meet a flow's exit condition.
async fn end(
    tx: &mut Tx,
    exit: &ExitWhen<'_>,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<u64> {
    if customers.is_empty() {
        return Ok(0);
    }
    let flow = exit.flow;
    let met = meeting(tx, flow, exit.condition, &exit.frame, customers).await?;
    let why = (ExitReason::ExitCondition, Reason::ExitCondition);
    enrollments::exit(tx, flow, &met, why, (now, exit.marks)).await
}

async fn look_again(
    tx: &mut Tx,
    look: &Look,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let looked = query(LOOK_AGAIN)
        .bind(among::numbers(customers))
        .bind(look.step.0)
        .bind(micros(now));
    looked.execute(tx).await?;
    Ok(())
}

/// Those of these customers whose live enrollment in `flow` meets the condition.
async fn meeting(
    tx: &mut Tx,
    flow: NameNo,
    condition: &Condition,
    frame: &Frame<'_>,
    customers: &[CustomerId],
) -> Result<Vec<CustomerId>> {
    let predicate = compile(condition, frame, 3, Within::Enrollment)?;
    let sql = format!(
        "SELECT e.customer_id FROM {from} JOIN customers c ON c.bucket = e.bucket \
         AND c.customer_id = e.customer_id WHERE e.flow = $2 AND e.status < 10 AND ({test})",
        from = Among::Customers(customers).from("enrollments", "e"),
        test = predicate.sql,
    );
    let own = [
        Bind::Text(among::numbers(customers)),
        Bind::Int(flow.into()),
    ];
    let rows = composed(sql, own, predicate.binds)
        .fetch_all(&mut *tx)
        .await?;
    rows.iter().map(|row| row.take().map(CustomerId)).collect()
}

impl std::ops::AddAssign for Pass {
    fn add_assign(&mut self, other: Self) {
        self.customers += other.customers;
        self.joined += other.joined;
        self.left += other.left;
        self.enrolled += other.enrolled;
        self.exited += other.exited;
        self.touched |= other.touched;
        self.moved_on |= other.moved_on;
    }
}

/// The longest waiting of those who wait to be let in, with their zones.
fn pending_sql(zone_field: &str) -> String {
    format!(
        "@everywhere(waiting)SELECT e.enrollment_id, c.f_{zone_field} FROM enrollments AS e JOIN customers AS c \
         ON c.bucket = e.bucket AND c.customer_id = e.customer_id WHERE e.bucket BETWEEN 0 AND 1023 \
         AND e.flow = $1 AND e.status = 0 ORDER BY e.started_at, e.enrollment_id LIMIT $2"
    )
}

async fn qualify(
    tx: &mut Tx,
    qualification: &Qualification<'_>,
    among: &Among<'_>,
) -> Result<Pass> {
    let examined = &qualification.examined;
    let difference = memberships::examine(tx, examined, among).await?;
    let mut pass = Pass {
        joined: difference.joined,
        left: difference.left.len() as u64,
        ..Pass::default()
    };
    for entering in &qualification.entering {
        pass.enrolled += enrollments::enroll(tx, entering, among).await?;
    }
    for flow in &qualification.lets_go {
        let why = (ExitReason::LeftSegment, Reason::NoLongerInSegment);
        let now = examined.frame.now;
        let then = (now, qualification.marks);
        pass.exited += enrollments::exit(tx, *flow, &difference.left, why, then).await?;
    }
    Ok(pass)
}
