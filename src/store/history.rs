//! Owns a customer's history: dispatches, interactions and the runs through flows, read as one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::db::Store;
use super::error::{Error, Result};
use super::instants::instant;
use super::sql::{Row, query};
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Direction, Kind};
use crate::domain::revision::Reuses;

/// Times are bounded by `$3` and `$4`; an open bound is the end of the number line.
const INTERACTIONS: &str = "SELECT i.at, i.kind, i.channel, i.campaign, i.flow, i.step, i.actor, \
     i.detail FROM interactions AS i WHERE i.bucket = $1 AND i.customer_id = $2 \
     AND i.at >= $3 AND i.at < $4 ORDER BY i.at DESC, i.seq DESC";
const DISPATCHES: &str = "SELECT d.at, d.channel, d.state, d.reason, d.attempt, d.gateway_id, \
     d.detail, f.name, s.name, d.heard FROM enrollments AS n CROSS JOIN dispatches AS d \
     CROSS JOIN names AS f CROSS JOIN names AS s \
     WHERE n.bucket = $1 AND n.customer_id = $2 AND d.bucket = n.bucket \
     AND d.enrollment_id = n.enrollment_id AND d.at >= $3 AND d.at < $4 \
     AND f.number = n.flow AND s.number = d.step ORDER BY d.at DESC, d.step DESC";
const ENROLLMENTS: &str = "SELECT n.started_at, n.finished_at, n.status, n.exit_reason, n.entry, \
     f.name FROM enrollments AS n CROSS JOIN names AS f WHERE n.bucket = $1 \
     AND n.customer_id = $2 AND f.number = n.flow ORDER BY n.started_at DESC";

const MEMBERSHIPS: &str = "SELECT m.joined_at, CAST(NULL AS BIGINT), s.name \
     FROM memberships AS m CROSS JOIN names AS s \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND s.number = m.segment";
const PAST_MEMBERSHIPS: &str = "SELECT m.joined_at, m.left_at, s.name \
     FROM past_memberships AS m CROSS JOIN names AS s \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND s.number = m.segment";

const GOALS: &str = "SELECT g.reached_at, f.name, s.name FROM enrollments AS n CROSS JOIN goals AS g \
     CROSS JOIN names AS f LEFT JOIN names AS s ON s.number = g.step WHERE n.bucket = $1 \
     AND n.customer_id = $2 AND g.bucket = n.bucket AND g.enrollment_id = n.enrollment_id \
     AND f.number = n.flow";

pub(super) const STATEMENTS: &[&str] = &[
    INTERACTIONS,
    DISPATCHES,
    ENROLLMENTS,
    GOALS,
    MEMBERSHIPS,
    PAST_MEMBERSHIPS,
];

/// Which lines to show; what is not named is not narrowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Included.
    pub from: Option<Timestamp>,
    /// Not included.
    pub until: Option<Timestamp>,
    /// Written kinds, such as `email-clicked` or `email-withheld`.
    pub kinds: Vec<String>,
    pub direction: Option<Direction>,
    pub channel: Option<Channel>,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    /// Only lines of any of these campaigns or flows.
    pub within: Option<Vec<String>>,
    /// Which flow's step, by their names, sends the communication of which campaign.
    pub reuses: Reuses,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryLine {
    pub at: Timestamp,
    /// The name of an interaction's kind; for a dispatch `CHANNEL-sent`, or `CHANNEL-` and its state.
    pub kind: String,
    pub direction: Direction,
    pub channel: Option<Channel>,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub actor: Option<String>,
    /// A small JSON object: the reason, the gateway's words, what changed.
    pub detail: Option<Value>,
}

impl HistoryFilter {
    fn shows(&self, line: &HistoryLine) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        let campaign = is(&self.campaign, &line.campaign) || is(&self.campaign, &line.flow);
        (self.kinds.is_empty() || self.kinds.contains(&line.kind))
            && self.direction.is_none_or(|wanted| wanted == line.direction)
            && self
                .channel
                .is_none_or(|wanted| Some(wanted) == line.channel)
            && self.from.is_none_or(|from| from <= line.at)
            && self.until.is_none_or(|until| line.at < until)
            && campaign
            && self.is_within(line)
            && is(&self.flow, &line.flow)
    }
}

impl HistoryFilter {
    /// The line with the campaign whose communication its step sends.
    fn placed(&self, mut line: HistoryLine) -> HistoryLine {
        if let (None, Some(flow), Some(step), Some(channel)) =
            (&line.campaign, &line.flow, &line.step, line.channel)
        {
            let step = (flow.clone(), step.clone(), channel);
            line.campaign = self.reuses.get(&step).cloned();
        }
        line
    }

    fn is_within(&self, line: &HistoryLine) -> bool {
        let is_of = |names: &Vec<String>| {
            let mut of = line.campaign.iter().chain(&line.flow);
            of.any(|name| names.contains(name))
        };
        self.within.as_ref().is_none_or(is_of)
    }
}

impl Store {
    /// The customer's lines that the filter shows, newest first.
    pub async fn history(
        &self,
        customer: CustomerId,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<Vec<HistoryLine>> {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        let from = micros(filter.from).unwrap_or(i64::MIN);
        let until = micros(filter.until).unwrap_or(i64::MAX);
        let mut tx = self.snapshot().await?;
        let mut lines = Vec::new();
        for (statement, read) in [
            (
                INTERACTIONS,
                interaction as fn(&Row) -> Result<Vec<HistoryLine>>,
            ),
            (DISPATCHES, dispatch),
            (ENROLLMENTS, enrollment),
            (GOALS, goal),
            (MEMBERSHIPS, membership),
            (PAST_MEMBERSHIPS, membership),
        ] {
            let rows = query(statement)
                .bind(i64::from(customer.bucket().0))
                .bind(customer.0)
                .bind(from)
                .bind(until)
                .fetch_all(&mut tx)
                .await?;
            for row in &rows {
                let told = read(row)?.into_iter().map(|line| filter.placed(line));
                lines.extend(told.filter(|line| filter.shows(line)));
            }
        }
        lines.sort_by_key(|line| std::cmp::Reverse((line.at, turn(&line.kind))));
        lines.truncate(limit);
        Ok(lines)
    }
}

/// Of what happened at one instant: a run begins before its first message and ends after its last, all of
/// it within the segment, and what somebody asks for comes before it is sent.
fn turn(kind: &str) -> u8 {
    match Kind::parse(kind) {
        Some(Kind::EnteredSegment) => 0,
        Some(Kind::EnteredFlow | Kind::SendAsked) => 1,
        Some(Kind::CompletedFlow | Kind::ExitedFlow) => 3,
        // Within one instant something comes back after it went out.
        Some(
            Kind::Delivered | Kind::Bounced | Kind::Complained | Kind::GivenUp | Kind::Confirmed,
        ) => 3,
        Some(Kind::LeftSegment) => 4,
        _ => 2,
    }
}

fn channel(number: Option<i64>) -> Option<Channel> {
    number.and_then(Channel::from_number)
}

fn interaction(row: &Row) -> Result<Vec<HistoryLine>> {
    let number = row.try_get(1)?;
    let kind = Kind::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown kind {number}")))?;
    let detail: Option<String> = row.try_get(7)?;
    Ok(vec![HistoryLine {
        at: instant(row.try_get(0)?)?,
        kind: kind.as_str().to_owned(),
        direction: kind.direction(),
        channel: channel(row.try_get(2)?),
        campaign: row.try_get(3)?,
        flow: row.try_get(4)?,
        step: row.try_get(5)?,
        actor: row.try_get(6)?,
        detail: detail.map(|text| serde_json::from_str(&text).unwrap_or_else(|_| json!(text))),
    }])
}

fn dispatch(row: &Row) -> Result<Vec<HistoryLine>> {
    let (on, number) = (channel(row.try_get(1)?), row.try_get(2)?);
    let state = DispatchState::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown state {number}")))?;
    let heard: i64 = row.try_get(9)?;
    // What was heard of it has lines of its own, each at its time.
    let done = match state {
        DispatchState::Accepted => "sent",
        DispatchState::Delivered | DispatchState::Bounced if heard != 0 => "sent",
        other => other.as_str(),
    };
    let (flow, step) = (row.text(7)?, row.text(8)?);
    let mut detail = dispatch_detail(row)?;
    if heard != 0 {
        detail["stands"] = json!(state.as_str());
    }
    let by_hand = by_hand::reuse(flow);
    if let Some(sent) = &by_hand {
        detail["communication"] = json!(sent.communication);
    }
    let is_of_flow = by_hand.is_none();
    let step = step.rsplit('/').next().unwrap_or(step);
    Ok(vec![HistoryLine {
        at: instant(row.try_get(0)?)?,
        kind: format!("{}-{done}", on.map_or("message", Channel::as_str)),
        direction: Direction::Outbound,
        channel: on,
        campaign: by_hand.map(|sent| sent.campaign),
        flow: is_of_flow.then(|| flow.to_owned()),
        step: is_of_flow.then(|| step.to_owned()),
        actor: None,
        detail: Some(detail),
    }])
}

fn dispatch_detail(row: &Row) -> Result<Value> {
    let reason: Option<i64> = row.try_get(3)?;
    let attempt: i64 = row.try_get(4)?;
    let gateway_id: Option<String> = row.try_get(5)?;
    let said: Option<String> = row.try_get(6)?;
    let mut detail = json!({ "attempt": attempt });
    let reason = reason
        .and_then(Reason::from_number)
        .map(|reason| reason.to_string());
    for (key, value) in [
        ("reason", reason),
        ("gateway_id", gateway_id),
        ("detail", said),
    ] {
        if let Some(value) = value {
            detail[key] = json!(value);
        }
    }
    Ok(detail)
}

/// A run through a flow is a line at its start and one at its end; who waits to be let in has none, and
/// what was sent by hand is no run for anybody who reads it.
fn enrollment(row: &Row) -> Result<Vec<HistoryLine>> {
    let (started, finished): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (number, entry): (i64, i64) = (row.try_get(2)?, row.try_get(4)?);
    let status = EnrollmentStatus::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown status {number}")))?;
    let flow: String = row.try_get(5)?;
    if status == EnrollmentStatus::Pending || by_hand::reuse(&flow).is_some() {
        return Ok(Vec::new());
    }
    let reason: Option<i64> = row.try_get(3)?;
    let line = |at: i64, kind: Kind, detail: Value| -> Result<HistoryLine> {
        Ok(HistoryLine {
            at: instant(at)?,
            kind: kind.as_str().to_owned(),
            direction: kind.direction(),
            channel: None,
            campaign: None,
            flow: Some(flow.clone()),
            step: None,
            actor: None,
            detail: Some(detail),
        })
    };
    let mut lines = vec![line(started, Kind::EnteredFlow, json!({ "entry": entry }))?];
    if let Some(at) = finished {
        let reason = reason
            .and_then(ExitReason::from_number)
            .map(ExitReason::as_str);
        lines.push(if status == EnrollmentStatus::Completed {
            line(at, Kind::CompletedFlow, json!({}))?
        } else {
            line(at, Kind::ExitedFlow, json!({ "reason": reason }))?
        });
    }
    Ok(lines)
}

/// Reaching the goal is a line, with the step of the last message before it.
fn goal(row: &Row) -> Result<Vec<HistoryLine>> {
    let kind = Kind::ReachedGoal;
    let step: Option<String> = row.try_get(2)?;
    let step = step.and_then(|step| Some(step.rsplit('/').next()?.to_owned()));
    Ok(vec![HistoryLine {
        at: instant(row.try_get(0)?)?,
        kind: kind.as_str().to_owned(),
        direction: kind.direction(),
        channel: None,
        campaign: None,
        flow: row.try_get(1)?,
        step,
        actor: None,
        detail: None,
    }])
}

/// Being in a segment is a line at its start, and one at its end.
fn membership(row: &Row) -> Result<Vec<HistoryLine>> {
    let (joined, left): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let segment: String = row.try_get(2)?;
    let line = |at: i64, kind: Kind| -> Result<HistoryLine> {
        Ok(HistoryLine {
            at: instant(at)?,
            kind: kind.as_str().to_owned(),
            direction: kind.direction(),
            channel: None,
            campaign: None,
            flow: None,
            step: None,
            actor: None,
            detail: Some(json!({ "segment": segment })),
        })
    };
    let left = left.map(|at| line(at, Kind::LeftSegment));
    [Some(line(joined, Kind::EnteredSegment)), left]
        .into_iter()
        .flatten()
        .collect()
}
