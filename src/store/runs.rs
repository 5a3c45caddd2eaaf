//! Owns one customer's runs through one flow, as they are stored: for a person who asks why.

use jiff::Timestamp;

use super::db::Store;
use super::due::{Due, Earlier};
use super::error::{Error, Result};
use super::instants::{instant, optional_instant};
use super::sql::{Row, query, query_scalar};
use crate::domain::channel::{Channel, Lane};
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason, HeldBecause};
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, NameNo, RevisionNo};

const RUNS: &str = "SELECT e.enrollment_id, e.entry, e.status, e.step, e.lane, e.due, e.anchor, \
     e.planned, e.held, e.parked, e.exit_reason, e.started_at, e.finished_at, e.timed_revision, \
     g.reached_at, g.step FROM enrollments AS e LEFT JOIN goals AS g ON g.bucket = e.bucket \
     AND g.enrollment_id = e.enrollment_id \
     WHERE e.bucket = $1 AND e.customer_id = $2 AND e.flow = $3 ORDER BY e.entry DESC";
const LIVE: &str = "SELECT DISTINCT flow FROM enrollments \
     WHERE bucket = $1 AND customer_id = $2 AND status < 10 ORDER BY flow";
const MESSAGES: &str = "SELECT step, channel, state, reason, attempt, first_at, at, gateway_id, \
     detail, incarnation, heard, enrollment_id FROM dispatches WHERE bucket = $1 AND enrollment_id = $2 ORDER BY at";
const JOINED: &str =
    "SELECT joined_at FROM memberships WHERE bucket = $1 AND segment = $2 AND customer_id = $3";
const MARKED: &str = "SELECT 1 FROM dirty WHERE bucket = $1 AND customer_id = $2";

pub(super) const STATEMENTS: &[&str] = &[RUNS, LIVE, MESSAGES, JOINED, MARKED];

/// One enrollment with everything its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub enrollment: EnrollmentId,
    /// Which entry of the customer it is, counted from 1.
    pub entry: u32,
    pub status: EnrollmentStatus,
    /// The step that comes next, or the last one.
    pub step: Option<NameNo>,
    pub lane: Option<Lane>,
    pub due: Option<Timestamp>,
    pub anchor: Timestamp,
    pub planned: Timestamp,
    pub held: Option<HeldBecause>,
    /// The due time it had when its flow was paused.
    pub parked: Option<Timestamp>,
    pub exit_reason: Option<ExitReason>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub timed_revision: RevisionNo,
    pub goal: Option<Reached>,
}

/// That the goal was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub at: Timestamp,
    /// Of the last message that was sent before; none: none was.
    pub step: Option<NameNo>,
}

/// What became of one step's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunMessage {
    pub enrollment: EnrollmentId,
    pub step: NameNo,
    pub channel: Option<Channel>,
    pub state: DispatchState,
    pub reason: Option<Reason>,
    pub attempt: u32,
    pub first_at: Timestamp,
    pub at: Timestamp,
    pub gateway_id: Option<String>,
    /// The gateway's own words.
    pub detail: Option<String>,
    pub incarnation: Incarnation,
    /// Whether the gateway told of it after it took it.
    pub is_heard_of: bool,
}

impl Run {
    /// The row as the engine would read it if it were due; none: it waits for nothing.
    pub fn as_due(
        &self,
        customer: CustomerId,
        flow: NameNo,
        message: Option<&RunMessage>,
    ) -> Option<Due> {
        let due = self.due.or(self.parked)?;
        Some(Due {
            enrollment: self.enrollment,
            customer,
            flow,
            step: self.step?,
            lane: self.lane?,
            due,
            anchor: self.anchor,
            planned: self.planned,
            started_at: self.started_at,
            timed_revision: self.timed_revision,
            earlier: message.map(|message| Earlier {
                state: message.state,
                attempt: message.attempt,
                first_at: message.first_at,
                incarnation: message.incarnation,
            }),
        })
    }
}

impl Store {
    /// A customer's runs through a flow, newest first.
    pub async fn runs(&self, customer: CustomerId, flow: NameNo) -> Result<Vec<Run>> {
        let rows = query(RUNS)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .bind(flow.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(run).collect()
    }

    /// The flows that a customer is in, or waits to be let into.
    pub async fn live_flows(&self, customer: CustomerId) -> Result<Vec<NameNo>> {
        let flows: Vec<i32> = query_scalar(LIVE)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .fetch_all(self.read())
            .await?;
        Ok(flows.into_iter().map(NameNo).collect())
    }

    /// The messages of one run, oldest first.
    pub async fn run_messages(&self, enrollment: EnrollmentId) -> Result<Vec<RunMessage>> {
        let rows = query(MESSAGES)
            .bind(i64::from(enrollment.bucket().0))
            .bind(enrollment.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(message).collect()
    }

    /// Since when a customer has been in a segment, as far as the daemon has seen.
    pub async fn joined_at(
        &self,
        segment: NameNo,
        customer: CustomerId,
    ) -> Result<Option<Timestamp>> {
        let at: Option<i64> = query_scalar(JOINED)
            .bind(i64::from(customer.bucket().0))
            .bind(segment.0)
            .bind(customer.0)
            .fetch_optional(self.read())
            .await?;
        optional_instant(at)
    }

    /// Whether a change of the customer is still to be looked at by the daemon.
    pub async fn is_marked(&self, customer: CustomerId) -> Result<bool> {
        let marked = query(MARKED)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .fetch_optional(self.read())
            .await?;
        Ok(marked.is_some())
    }
}

fn run(row: &Row) -> Result<Run> {
    let status: i64 = row.try_get(2)?;
    let step: Option<i32> = row.try_get(3)?;
    let held: Option<i64> = row.try_get(8)?;
    let exit_reason: Option<i64> = row.try_get(10)?;
    Ok(Run {
        enrollment: EnrollmentId(row.try_get(0)?),
        entry: row.try_get(1)?,
        status: EnrollmentStatus::from_number(status)
            .ok_or_else(|| Error::Corrupt(format!("the unknown status {status}")))?,
        step: step.map(NameNo),
        lane: Lane::from_number(row.try_get(4)?),
        due: optional_instant(row.try_get(5)?)?,
        anchor: instant(row.try_get(6)?)?,
        planned: instant(row.try_get(7)?)?,
        held: held.and_then(HeldBecause::from_number),
        parked: optional_instant(row.try_get(9)?)?,
        exit_reason: exit_reason.and_then(ExitReason::from_number),
        started_at: instant(row.try_get(11)?)?,
        finished_at: optional_instant(row.try_get(12)?)?,
        timed_revision: RevisionNo(row.try_get(13)?),
        goal: goal(row)?,
    })
}

fn goal(row: &Row) -> Result<Option<Reached>> {
    let step: Option<i32> = row.try_get(15)?;
    let at = optional_instant(row.try_get(14)?)?;
    Ok(at.map(|at| Reached {
        at,
        step: step.map(NameNo),
    }))
}

fn message(row: &Row) -> Result<RunMessage> {
    let state: i64 = row.try_get(2)?;
    let reason: Option<i64> = row.try_get(3)?;
    let heard: i64 = row.try_get(10)?;
    Ok(RunMessage {
        enrollment: EnrollmentId(row.try_get(11)?),
        step: NameNo(row.try_get(0)?),
        channel: Channel::from_number(row.try_get(1)?),
        state: DispatchState::from_number(state)
            .ok_or_else(|| Error::Corrupt(format!("the unknown state {state}")))?,
        reason: reason.and_then(Reason::from_number),
        attempt: row.try_get(4)?,
        first_at: instant(row.try_get(5)?)?,
        at: instant(row.try_get(6)?)?,
        gateway_id: row.try_get(7)?,
        detail: row.try_get(8)?,
        incarnation: Incarnation(row.try_get(9)?),
        is_heard_of: heard != 0,
    })
}
