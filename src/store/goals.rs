//! Owns the goals of flows: who reached them, and after which message.

use jiff::Timestamp;

use super::among::{Among, numbers};
use super::bind::Bind;
use super::dialect::rows;
use super::enrollments;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::segment_did::taken;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::{composed, query};
use super::tx::Tx;
use crate::domain::dispatch::Reason;
use crate::domain::enrollment::ExitReason;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::segment::Condition;
use crate::domain::touched::Touched;

const REACHED: &str = concat!(
    "INSERT INTO goals (bucket, enrollment_id, reached_at, step) \
     SELECT j.id >> 48, j.id, $2, j.step FROM ",
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id) DO NOTHING"
);

pub(super) const STATEMENTS: &[&str] = &[REACHED];

/// A flow's goal.
#[derive(Debug, Clone, Copy)]
pub struct Aim<'a> {
    pub flow: NameNo,
    pub condition: &'a Condition,
    /// What of a customer decides about it.
    pub asks: Touched,
    /// Only who entered at this instant or later can still reach it.
    pub opens: Timestamp,
    /// Whether it ends the run.
    pub exits: bool,
    pub frame: Frame<'a>,
    /// Whether a segment asks who is in a flow: those whose run ends are looked at again.
    pub marks: bool,
}

/// Writes down who of these customers reached the goal by their last entry; how many runs ended by it.
pub(super) async fn reach(
    tx: &mut Tx,
    aim: &Aim<'_>,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<u64> {
    if customers.is_empty() {
        return Ok(0);
    }
    let met = meeting(tx, aim, customers, now).await?;
    if met.is_empty() {
        return Ok(0);
    }
    let reached: Vec<(i64, Option<i64>)> = met.iter().map(|(id, step, _)| (*id, *step)).collect();
    let writing = query(REACHED).bind(json(&reached)).bind(micros(now));
    writing.execute(&mut *tx).await?;
    if !aim.exits {
        return Ok(0);
    }
    let customers: Vec<CustomerId> = met.into_iter().map(|(.., customer)| customer).collect();
    let why = (ExitReason::Goal, Reason::GoalReached);
    enrollments::exit(tx, aim.flow, &customers, why, (now, aim.marks)).await
}

/// The enrollment, the step of the last message before, and whose it is.
type Met = (i64, Option<i64>, CustomerId);

/// Only what happens after the entry counts, and for the last entry alone.
async fn meeting(
    tx: &mut Tx,
    aim: &Aim<'_>,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<Vec<Met>> {
    let predicate = compile(aim.condition, &aim.frame, 5, Within::Enrollment)?;
    let sql = format!(
        "SELECT e.enrollment_id, (SELECT d.step FROM dispatches AS d WHERE d.bucket = e.bucket \
         AND d.enrollment_id = e.enrollment_id AND d.state IN ({taken}) \
         ORDER BY d.first_at DESC, d.step DESC LIMIT 1), e.customer_id \
         FROM {from} JOIN customers c ON c.bucket = e.bucket AND c.customer_id = e.customer_id \
         WHERE e.flow = $2 AND e.status > 0 AND e.started_at >= $3 AND e.started_at < $4 \
         AND NOT EXISTS (SELECT 1 FROM goals AS g WHERE g.bucket = e.bucket \
         AND g.enrollment_id = e.enrollment_id) \
         AND NOT EXISTS (SELECT 1 FROM enrollments AS l WHERE l.bucket = e.bucket \
         AND l.customer_id = e.customer_id AND l.flow = e.flow AND l.entry > e.entry) \
         AND ({test})",
        taken = taken(),
        from = Among::Customers(customers).from("enrollments", "e"),
        test = predicate.sql,
    );
    let own = [
        Bind::Text(numbers(customers)),
        Bind::Int(aim.flow.into()),
        Bind::Int(micros(aim.opens)),
        Bind::Int(micros(now)),
    ];
    let rows = composed(sql, own, predicate.binds)
        .fetch_all(&mut *tx)
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                CustomerId(row.try_get(2)?),
            ))
        })
        .collect()
}
