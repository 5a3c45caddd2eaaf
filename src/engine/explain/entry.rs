//! Owns why a customer entered a flow or not: its segment part by part, its status, its entry rules.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::question::Question;
use crate::domain::customer::{Customer, FieldValue};
use crate::domain::enrollment::EnrollmentStatus;
use crate::domain::flow::{ExistingMembers, FlowStatus, Reentry};
use crate::domain::ids::BUCKETS;
use crate::domain::revision::NameKind;
use crate::domain::segment::{Condition, Segment};
use crate::domain::segment_words::words;
use crate::store::{FlowState, Frame, Result, Run, Store};

/// One thing that was asked. `met`: whether it speaks for being in the flow; none: it is just so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Point {
    /// `segment`, `membership`, `status`, `paused`, `entry`, `limit`, `reentry`, `activation`,
    /// `schedule`, `existing-members` or `examination`.
    #[schema(example = "segment")]
    pub rule: &'static str,
    pub met: Option<bool>,
    #[schema(example = "`city` is Lyon")]
    pub text: String,
    /// What the customer has where it was asked for.
    #[schema(example = "city: Lyon")]
    pub value: Option<String>,
    pub at: Option<Timestamp>,
}

impl Point {
    pub(super) fn new(rule: &'static str, met: Option<bool>, text: impl Into<String>) -> Self {
        Self {
            rule,
            met,
            text: text.into(),
            value: None,
            at: None,
        }
    }

    pub(super) fn at(self, at: Timestamp) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }
}

/// A customer who waits to be let in has not entered yet.
pub(super) fn has_entered(run: &Run) -> bool {
    run.status != EnrollmentStatus::Pending
}

pub(super) fn headline(question: &Question<'_>, run: &Run) -> String {
    let since = question.told(run.started_at);
    let ended = run.finished_at.map(|at| question.told(at));
    let ended = ended.unwrap_or_default();
    match (run.status, run.exit_reason) {
        (EnrollmentStatus::Pending, _) => "qualifies, and waits to be let in".to_owned(),
        (EnrollmentStatus::Waiting | EnrollmentStatus::Sending, _) => {
            format!("in it since {since}")
        }
        (EnrollmentStatus::Completed, _) => format!("entered {since}, completed {ended}"),
        (EnrollmentStatus::Exited, Some(reason)) => {
            format!("entered {since}, left {ended}: {}", reason.as_str())
        }
        (EnrollmentStatus::Exited, None) => format!("entered {since}, left {ended}"),
    }
}

pub(super) async fn points(question: &Question<'_>, runs: &[Run]) -> Result<Vec<Point>> {
    let states = question.store.flow_states().await?;
    let state = states.get(&question.number);
    let mut points = segment(question).await?;
    points.extend(running(question, state));
    match runs.first() {
        Some(_) => points.extend(entries(question, runs)),
        None => points.extend(never_entered(question, state).await?),
    }
    Ok(points)
}

/// The parts of the segment's condition, each with the customer's values.
async fn segment(question: &Question<'_>) -> Result<Vec<Point>> {
    let revision = question.catalog.revision();
    let Some(segment) = revision.segments.get(&question.flow.segment) else {
        return Ok(Vec::new());
    };
    let (store, customer) = (question.store, question.customer);
    let mut points = conditions(store, &question.frame(), customer, segment).await?;
    let number = question
        .catalog
        .published
        .numbers
        .number(NameKind::Segment, &segment.id);
    if let Some(number) = number {
        let store = question.store;
        if let Some(at) = store.joined_at(number, question.customer.id).await? {
            let text = format!(
                "in the segment `{}` since {}",
                segment.id,
                question.told(at)
            );
            points.push(Point::new("membership", None, text).at(at));
        }
    }
    Ok(points)
}

/// The parts of a segment's condition, each with whether the customer meets it and with which values.
pub(super) async fn conditions(
    store: &Store,
    frame: &Frame<'_>,
    customer: &Customer,
    segment: &Segment,
) -> Result<Vec<Point>> {
    let parts = match &segment.condition {
        Condition::All(parts) if !parts.is_empty() => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut points = Vec::new();
    for part in parts {
        let matching = store.matching(part, frame, &[customer.id]).await?;
        let met = matching.contains(&customer.id);
        let text = words(part, &frame.revision.data_model);
        let mut point = Point::new("segment", Some(met), text);
        point.value = values(customer, part);
        points.push(point);
    }
    Ok(points)
}

/// What the customer has in the fields that a condition asks about.
fn values(customer: &Customer, condition: &Condition) -> Option<String> {
    let mut fields = Vec::new();
    let mut tags = false;
    condition.walk(&mut |part| match part {
        Condition::Field { field, .. } | Condition::Many { field, .. }
            if !fields.contains(&field.as_str()) =>
        {
            fields.push(field.as_str());
        }
        Condition::Tag(_) => tags = true,
        _ => {}
    });
    let mut parts: Vec<String> = fields
        .into_iter()
        .map(|field| {
            let value = customer.fields.get(field);
            format!(
                "{field}: {}",
                value.map_or_else(|| "none".to_owned(), shown)
            )
        })
        .collect();
    if tags {
        let tags = customer.tags.join(", ");
        let tags = if tags.is_empty() {
            "none".to_owned()
        } else {
            tags
        };
        parts.push(format!("tags: {tags}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::One(value) => value.to_string(),
        FieldValue::Many(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            values.join(", ")
        }
    }
}

/// Whether the flow runs.
fn running(question: &Question<'_>, state: Option<&FlowState>) -> Option<Point> {
    match question.flow.status {
        FlowStatus::Active => {}
        status => {
            let text = format!("the flow is {} by its file", status.as_str());
            return Some(Point::new("status", Some(false), text));
        }
    }
    let pause = state?.pause.as_ref()?;
    let reason = pause.reason.as_deref().unwrap_or("no reason given");
    let since = question.told(pause.at);
    let text = format!("the flow was paused by {} on {since}: {reason}", pause.by);
    Some(Point::new("paused", Some(false), text).at(pause.at))
}

fn entries(question: &Question<'_>, runs: &[Run]) -> Vec<Point> {
    let mut points = Vec::new();
    for run in runs {
        let text = format!("entry {}: {}", run.entry, headline(question, run));
        points.push(Point::new("entry", Some(has_entered(run)), text).at(run.started_at));
    }
    let Some(run) = runs.first() else {
        return points;
    };
    if run.status == EnrollmentStatus::Pending {
        if let Some(limit) = question.flow.entry.limit {
            let hours = limit.per_seconds / 3600;
            let text = format!("the flow lets in {} every {hours} hours", limit.customers);
            points.push(Point::new("limit", Some(false), text));
        }
    } else if !run.status.is_live() {
        let text = match question.flow.entry.reentry {
            Reentry::Once => "nobody enters this flow twice".to_owned(),
            Reentry::EveryRequalification => {
                "enters again after leaving the segment and joining it anew".to_owned()
            }
            Reentry::Every(span) => format!("may enter again {span} after the last entry"),
        };
        points.push(Point::new("reentry", None, text));
    }
    points
}

async fn never_entered(question: &Question<'_>, state: Option<&FlowState>) -> Result<Vec<Point>> {
    let store = question.store;
    let mut points = Vec::new();
    let Some(activated_at) = state.and_then(|state| state.activated_at) else {
        let text = "the flow has not been active yet: the daemon makes it so";
        points.push(Point::new("activation", Some(false), text));
        return Ok(points);
    };
    if let Some(schedule) = &question.flow.entry.schedule {
        let next = schedule.after(question.now, &question.catalog.zone);
        let next = next.map_or_else(|| "never".to_owned(), |at| question.told(at));
        let text = format!("members enter at `{schedule}` only, next {next}");
        points.push(Point::new("schedule", None, text));
    }
    if question.flow.entry.existing_members == ExistingMembers::Skip {
        let since = question.told(activated_at);
        let text =
            format!("only those who join the segment after {since} enter (existing-members: skip)");
        points.push(Point::new("existing-members", None, text).at(activated_at));
    }
    let behind = state.is_some_and(|state| state.caught_up_to < BUCKETS);
    if behind || store.is_marked(question.customer.id).await? {
        let text = "a change of this customer has not been looked at by the daemon yet";
        points.push(Point::new("examination", Some(false), text));
    }
    Ok(points)
}
