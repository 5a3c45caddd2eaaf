//! Owns the counts of one flow since it began: its messages by step and variant, what customers did with
//! them, and who reached its goal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::db::Store;
use super::error::Result;
use super::instants::micros;
use super::sql::{Query, Row, query};
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::NameNo;
use crate::domain::uplift::Arm;

const ENROLLMENTS: &str = "@everywhere(people)SELECT status, coalesce(exit_reason, 0), count(*) \
     FROM enrollments WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 \
     GROUP BY status, coalesce(exit_reason, 0)";
const WAITING: &str = "@everywhere(people)SELECT e.step, count(*) FROM enrollments AS e \
     WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND e.status IN (1, 2) \
     AND NOT EXISTS (SELECT 1 FROM dispatches AS d WHERE d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND d.step = e.step) GROUP BY e.step";
const MESSAGES: &str = "@everywhere(people)SELECT d.step, d.channel, coalesce(d.variant, 0), d.state, \
     coalesce(d.reason, 0), count(*) FROM enrollments AS e CROSS JOIN dispatches AS d \
     WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id \
     GROUP BY d.step, d.channel, coalesce(d.variant, 0), d.state, coalesce(d.reason, 0)";
/// Whether the customer did one of these kinds of things to the message: after it, and before the next entry.
macro_rules! answered {
    ($kinds:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM interactions AS i WHERE i.bucket = e.bucket \
             AND i.customer_id = e.customer_id AND i.kind IN (",
            $kinds,
            ") AND i.flow || '/' || i.step = s.name AND i.at >= d.first_at AND i.at < coalesce(\
             (SELECT n.started_at FROM enrollments AS n WHERE n.bucket = e.bucket \
             AND n.customer_id = e.customer_id AND n.flow = e.flow AND n.entry = e.entry + 1), \
             9223372036854775807))"
        )
    };
}

const ANSWERED: &str = concat!(
    "@everywhere(people)SELECT a.step, a.channel, a.variant, \
     count(CASE WHEN a.opened THEN 1 END), count(CASE WHEN a.clicked THEN 1 END) FROM \
     (SELECT d.step AS step, d.channel AS channel, coalesce(d.variant, 0) AS variant, ",
    answered!("10, 13"),
    " AS opened, ",
    answered!("11, 12"),
    " AS clicked FROM enrollments AS e CROSS JOIN dispatches AS d CROSS JOIN names AS s \
     WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND s.number = d.step AND d.state IN (1, 2, 6, 8)) AS a \
     GROUP BY a.step, a.channel, a.variant"
);
const REACHED: &str = "@everywhere(people)SELECT coalesce(g.step, 0), coalesce(d.channel, 0), \
     coalesce(d.variant, 0), count(*) FROM enrollments AS e CROSS JOIN goals AS g \
     LEFT JOIN dispatches AS d ON d.bucket = g.bucket AND d.enrollment_id = g.enrollment_id \
     AND d.step = g.step WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND g.bucket = e.bucket \
     AND g.enrollment_id = e.enrollment_id \
     GROUP BY coalesce(g.step, 0), coalesce(d.channel, 0), coalesce(d.variant, 0)";
/// Who was written to, or would have been but for what is asked after the draw; who was held out; and who
/// was both, because the share was changed. `$3`: the reasons that are asked before the draw.
const ARMS: &str = "@everywhere(people)SELECT p.arm, count(*), count(CASE WHEN p.reached THEN 1 END) FROM \
     (SELECT CASE WHEN EXISTS (SELECT 1 FROM dispatches AS d WHERE d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND d.reason = 19) THEN 2 ELSE 0 END \
     + CASE WHEN EXISTS (SELECT 1 FROM dispatches AS d WHERE d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND (d.state <> 4 OR d.reason NOT IN \
     (SELECT CAST(value AS BIGINT) FROM @each($3)))) THEN 1 ELSE 0 END AS arm, \
     EXISTS (SELECT 1 FROM goals AS g WHERE g.bucket = e.bucket \
     AND g.enrollment_id = e.enrollment_id) AS reached FROM enrollments AS e \
     WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND e.status > 0 AND e.started_at >= $2) AS p \
     GROUP BY p.arm";

pub(super) const STATEMENTS: &[&str] = &[ENROLLMENTS, WAITING, MESSAGES, ANSWERED, REACHED, ARMS];

/// What of a step is counted apart: its channel, and its variant where it has some.
pub(super) type Part = (NameNo, Option<Channel>, Option<NameNo>);

/// What became of the messages of one part of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageCounts {
    pub states: BTreeMap<DispatchState, u64>,
    pub withheld: BTreeMap<Reason, u64>,
    /// Of how many messages: each counts once, however often it was.
    pub opened: u64,
    pub clicked: u64,
    /// Goals that were reached after them.
    pub converted: u64,
}

/// Everything counted about one flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowCounts {
    pub statuses: BTreeMap<EnrollmentStatus, u64>,
    pub exits: BTreeMap<ExitReason, u64>,
    /// Who is at a step and has no message of it yet.
    pub waiting: BTreeMap<NameNo, u64>,
    pub messages: BTreeMap<Part, MessageCounts>,
    /// Goals that were reached before any message.
    pub converted_before: u64,
    pub arms: Arms,
}

/// Of those who entered since the goal was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arms {
    pub messaged: Arm,
    pub held_out: Arm,
    /// Both, because the share was changed meanwhile.
    pub mixed: Arm,
}

impl Store {
    /// Counts one flow since it began; the arms since its goal was set.
    pub async fn flow_counts(
        &self,
        flow: NameNo,
        goal_set_at: Option<Timestamp>,
    ) -> Result<FlowCounts> {
        let mut counts = FlowCounts::default();
        let mut tx = self.snapshot().await?;
        for row in &of(&mut tx, ENROLLMENTS, flow).await? {
            let (status, count) = (row.try_get(0)?, unsigned(row, 2)?);
            let status = EnrollmentStatus::from_number(status);
            let reason = ExitReason::from_number(row.try_get(1)?);
            add(&mut counts.statuses, status, count);
            add(&mut counts.exits, reason, count);
        }
        for row in &of(&mut tx, WAITING, flow).await? {
            let step: Option<i32> = row.try_get(0)?;
            add(&mut counts.waiting, step.map(NameNo), unsigned(row, 1)?);
        }
        for row in &of(&mut tx, MESSAGES, flow).await? {
            let part = counts.messages.entry(part(row)?).or_default();
            let (state, count) = (row.try_get(3)?, unsigned(row, 5)?);
            let state = DispatchState::from_number(state);
            let withheld = state.filter(|state| *state == DispatchState::Withheld);
            let reason: i64 = row.try_get(4)?;
            let reason = withheld.and_then(|_| Reason::from_number(reason));
            add(&mut part.states, state, count);
            add(&mut part.withheld, reason, count);
        }
        for row in &of(&mut tx, ANSWERED, flow).await? {
            let part = counts.messages.entry(part(row)?).or_default();
            (part.opened, part.clicked) = (unsigned(row, 3)?, unsigned(row, 4)?);
        }
        for row in &of(&mut tx, REACHED, flow).await? {
            let (part, count) = (part(row)?, unsigned(row, 3)?);
            match part {
                (NameNo(0), ..) => counts.converted_before += count,
                part => counts.messages.entry(part).or_default().converted += count,
            }
        }
        counts.arms = arms(&mut tx, flow, goal_set_at).await?;
        Ok(counts)
    }
}

async fn of(tx: &mut Tx, statement: &'static str, flow: NameNo) -> Result<Vec<Row>> {
    counting(statement, flow).fetch_all(tx).await
}

fn counting(statement: &'static str, flow: NameNo) -> Query<'static> {
    query(statement).bind(flow.0)
}

async fn arms(tx: &mut Tx, flow: NameNo, since: Option<Timestamp>) -> Result<Arms> {
    let before = Reason::ALL
        .iter()
        .filter(|reason| reason.precedes_the_draw());
    let before = before.chain([&Reason::Holdout]);
    let before: Vec<i64> = before.map(|reason| reason.number()).collect();
    let asked = counting(ARMS, flow)
        .bind(since.map_or(i64::MIN, micros))
        .bind(json!(before).to_string());
    let mut arms = Arms::default();
    for row in &asked.fetch_all(tx).await? {
        let arm = Arm {
            people: unsigned(row, 1)?,
            reached: unsigned(row, 2)?,
        };
        match row.try_get::<i64>(0)? {
            1 => arms.messaged = arm,
            2 => arms.held_out = arm,
            3 => arms.mixed = arm,
            // Nothing has been asked about them yet that tells the one from the other.
            _ => {}
        }
    }
    Ok(arms)
}

fn part(row: &Row) -> Result<Part> {
    let (channel, variant): (i64, i32) = (row.try_get(1)?, row.try_get(2)?);
    let variant = (variant != 0).then_some(NameNo(variant));
    Ok((
        NameNo(row.try_get(0)?),
        Channel::from_number(channel),
        variant,
    ))
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: Option<K>, count: u64) {
    if let Some(key) = key {
        *counts.entry(key).or_default() += count;
    }
}

fn unsigned(row: &Row, place: usize) -> Result<u64> {
    let count: i64 = row.try_get(place)?;
    Ok(count.unsigned_abs())
}
