//! Owns the counts of everything that runs: enrollments and dispatches, each in one pass.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::db::Store;
use super::error::{Error, Result};
use super::instants::micros;
use super::sql::{Row, query};
use crate::domain::channel::{Channel, Lane};
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::NameNo;

const ENROLLMENTS: &str = "@everywhere(people)SELECT flow, status, step, lane, held IS NOT NULL, exit_reason, \
     count(*), count(CASE WHEN due <= $1 THEN 1 END) FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY flow, status, step, lane, held IS NOT NULL, exit_reason";
const DISPATCHES: &str = "@everywhere(people)SELECT step, channel, state, reason, count(*) FROM dispatches \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY step, channel, state, reason";

pub(super) const STATEMENTS: &[&str] = &[ENROLLMENTS, DISPATCHES];

/// The enrollments of one flow, by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnrollmentCounts {
    pub pending: u64,
    /// Waiting for a step, or in the middle of one.
    pub waiting: u64,
    pub completed: u64,
    pub exited: u64,
}

/// Those at one step now, and what became of its messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepCounts {
    pub waiting: u64,
    /// Of those who wait, the ones that quiet hours, a window, a cap or a pause holds.
    pub held: u64,
    pub sending: u64,
    pub sent: u64,
    pub withheld: BTreeMap<Reason, u64>,
    pub deferred: u64,
    pub uncertain: u64,
    /// Refused, bounced and expired.
    pub failed: u64,
}

/// Everything counted, by the numbers of flows and steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub flows: BTreeMap<NameNo, EnrollmentCounts>,
    pub steps: BTreeMap<NameNo, StepCounts>,
    /// Messages whose time has come.
    pub due: BTreeMap<Channel, u64>,
    /// Messages that a gateway took.
    pub sent: BTreeMap<Channel, u64>,
    pub exits: BTreeMap<NameNo, BTreeMap<&'static str, u64>>,
}

impl Counts {
    /// Everybody who ever entered a flow or waits to.
    pub fn enrolled(&self) -> u64 {
        let each = self.flows.values();
        each.map(|flow| flow.waiting + flow.completed + flow.exited)
            .sum()
    }

    pub fn withheld(&self) -> u64 {
        let each = self.steps.values();
        each.map(|step| step.withheld.values().sum::<u64>()).sum()
    }
}

impl Store {
    /// Counts enrollments and dispatches of all flows; what is due is counted as of `now`.
    pub async fn counts(&self, now: Timestamp) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut tx = self.snapshot().await?;
        let rows = query(ENROLLMENTS)
            .bind(micros(now))
            .fetch_all(&mut tx)
            .await?;
        for row in &rows {
            add_enrollments(&mut counts, row)?;
        }
        for row in &query(DISPATCHES).fetch_all(&mut tx).await? {
            add_dispatches(&mut counts, row)?;
        }
        Ok(counts)
    }
}

fn add_enrollments(counts: &mut Counts, row: &Row) -> Result<()> {
    let number: i64 = row.try_get(1)?;
    let status = EnrollmentStatus::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown status {number}")))?;
    let flow = NameNo(row.try_get(0)?);
    let step: Option<i32> = row.try_get(2)?;
    let (count, due) = (unsigned(row, 6)?, unsigned(row, 7)?);
    let of_flow = counts.flows.entry(flow).or_default();
    match status {
        EnrollmentStatus::Pending => of_flow.pending += count,
        EnrollmentStatus::Waiting | EnrollmentStatus::Sending => of_flow.waiting += count,
        EnrollmentStatus::Completed => of_flow.completed += count,
        EnrollmentStatus::Exited => of_flow.exited += count,
    }
    if status == EnrollmentStatus::Waiting
        && let Some(step) = step
    {
        let at_step = counts.steps.entry(NameNo(step)).or_default();
        at_step.waiting += count;
        at_step.held += if row.try_get(4)? { count } else { 0 };
    }
    let reason: Option<i64> = row.try_get(5)?;
    if let Some(reason) = reason.and_then(ExitReason::from_number) {
        let of_flow = counts.exits.entry(flow).or_default();
        *of_flow.entry(reason.as_str()).or_default() += count;
    }
    if let Some(Lane::Channel(channel)) = Lane::from_number(row.try_get(3)?) {
        *counts.due.entry(channel).or_default() += due;
    }
    Ok(())
}

fn add_dispatches(counts: &mut Counts, row: &Row) -> Result<()> {
    let number: i64 = row.try_get(2)?;
    let state = DispatchState::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown state {number}")))?;
    let count = unsigned(row, 4)?;
    let step = counts.steps.entry(NameNo(row.try_get(0)?)).or_default();
    match state {
        DispatchState::Claimed => step.sending += count,
        DispatchState::Accepted | DispatchState::Delivered => {
            step.sent += count;
            if let Some(channel) = Channel::from_number(row.try_get(1)?) {
                *counts.sent.entry(channel).or_default() += count;
            }
        }
        DispatchState::Deferred => step.deferred += count,
        DispatchState::Uncertain => step.uncertain += count,
        DispatchState::Refused | DispatchState::Bounced | DispatchState::Expired => {
            step.failed += count;
        }
        DispatchState::Withheld => {
            let reason: Option<i64> = row.try_get(3)?;
            if let Some(reason) = reason.and_then(Reason::from_number) {
                *step.withheld.entry(reason).or_default() += count;
            }
        }
    }
    Ok(())
}

fn unsigned(row: &Row, place: usize) -> Result<u64> {
    let count: i64 = row.try_get(place)?;
    Ok(count.unsigned_abs())
}
