//! Owns where a customer stood with a flow at a moment in the past, as far as it was written down: values of
//! fields are not.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::entry::Point;
use crate::domain::customer::Customer;
use crate::domain::dispatch::Reason;
use crate::domain::flow::Flow;
use crate::domain::interaction::Kind;
use crate::domain::moment::moment;
use crate::domain::revision::NameKind;
use crate::engine::catalog::Catalog;
use crate::store::{Error, HistoryFilter, HistoryLine, Published, Result, Run, RunMessage, Store};

/// More lines of a history than this are not looked through.
const LINES: usize = 100_000;

/// One customer and one flow at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct PastTold {
    /// The customer's unique id.
    pub customer: String,
    pub flow: String,
    pub at: Timestamp,
    /// The revision that was in force.
    pub revision: i32,
    pub in_it: bool,
    /// Which entry it was, counted from 1.
    pub entry: Option<u32>,
    pub reasons: Vec<Point>,
    /// The steps of the flow as it was then.
    pub steps: Vec<PastStep>,
    #[serde(skip)]
    pub clocks: TimeZone,
}

/// A step as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastStep {
    pub step: String,
    /// What its message had come to; `being-tried`, `waited-for`, `to-come`, `passed` or `not-reached`.
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub at: Option<Timestamp>,
}

/// Tells of a moment.
///
/// # Errors
/// [`Error::NotFound`] when nothing was in force yet, or there was no such flow.
pub async fn past(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    flow: &str,
    at: Timestamp,
) -> Result<PastTold> {
    let published = store.revision_at(at).await?;
    let published =
        published.ok_or_else(|| Error::NotFound("a revision that was in force then".to_owned()))?;
    let number = published.numbers.number(NameKind::Flow, flow);
    let then = published.revision.flows.get(flow);
    let (Some(number), Some(then)) = (number, then) else {
        let missing = format!(
            "`{flow}` in revision {}, which was in force then",
            published.number.0
        );
        return Err(Error::NotFound(missing));
    };
    let looking = Looking {
        store,
        customer,
        published: &published,
        flow: then,

        zone: catalog.zone_of(customer),
        at,
    };
    let runs = store.runs(customer.id, number).await?;
    let run = runs.into_iter().find(|run| run.started_at <= at);
    let is_live = run
        .as_ref()
        .is_some_and(|run| run.finished_at.is_none_or(|end| end > at));
    let mut reasons = looking.files();
    reasons.extend(looking.history().await?);
    reasons.extend(run.as_ref().map(|run| looking.entry(run, is_live)));
    Ok(PastTold {
        customer: customer.external_id.clone(),
        flow: flow.to_owned(),
        at,
        revision: published.number.0,
        in_it: is_live,
        entry: run.as_ref().map(|run| run.entry),
        steps: match &run {
            Some(run) => looking.steps(run, is_live).await?,
            None => Vec::new(),
        },
        reasons,
        clocks: looking.zone,
    })
}

struct Looking<'a> {
    store: &'a Store,
    customer: &'a Customer,
    published: &'a Published,
    /// As it was then.
    flow: &'a Flow,
    zone: TimeZone,
    at: Timestamp,
}

impl Looking<'_> {
    fn told(&self, at: Timestamp) -> String {
        moment(at, &self.zone)
    }

    fn files(&self) -> Vec<Point> {
        let (number, since) = (self.published.number.0, self.published.published_at);
        let text = format!("revision {number} was in force since {}", self.told(since));
        let status = self.flow.status.as_str();
        vec![
            Point::new("revision", None, text).at(since),
            Point::new("status", None, format!("the flow was {status} by its file")),
        ]
    }

    /// Whether the customer was in the segment, and what of them has changed since.
    async fn history(&self) -> Result<Vec<Point>> {
        let kinds = [
            Kind::EnteredSegment,
            Kind::LeftSegment,
            Kind::FieldChanged,
            Kind::Imported,
            Kind::Tagged,
            Kind::Untagged,
        ];
        let filter = HistoryFilter {
            kinds: kinds.map(|kind| kind.as_str().to_owned()).to_vec(),
            ..HistoryFilter::default()
        };
        let lines = self.store.history(self.customer.id, &filter, LINES).await?;
        let segment = self.flow.segment.as_str();
        let of_segment = |line: &&HistoryLine| {
            let named = line
                .detail
                .as_ref()
                .and_then(|detail| detail["segment"].as_str());
            line.at <= self.at && named == Some(segment)
        };
        let point = match lines.iter().find(of_segment) {
            Some(line) if line.kind == Kind::EnteredSegment.as_str() => {
                let text = format!("in the segment `{segment}` since {}", self.told(line.at));
                Point::new("membership", Some(true), text).at(line.at)
            }
            Some(line) => {
                let text = format!(
                    "not in the segment `{segment}`, left {}",
                    self.told(line.at)
                );
                Point::new("membership", Some(false), text).at(line.at)
            }
            None => {
                let text = format!("not in the segment `{segment}`, nor ever before");
                Point::new("membership", Some(false), text)
            }
        };
        let mut points = vec![point];
        let changed: Vec<&HistoryLine> = lines
            .iter()
            .filter(|line| line.at > self.at && !line.kind.ends_with("-segment"))
            .collect();
        if let Some(first) = changed.last() {
            let (times, since) = (changed.len(), self.told(first.at));
            let text = format!(
                "the customer's record has changed {times} times since, first {since}: values of then are not kept"
            );
            points.push(Point::new("changes", None, text).at(first.at));
        }
        Ok(points)
    }

    fn entry(&self, run: &Run, is_live: bool) -> Point {
        let since = self.told(run.started_at);
        let text = match (is_live, run.finished_at) {
            (false, Some(ended)) => {
                let reason = run
                    .exit_reason
                    .map_or("completed", |reason| reason.as_str());
                format!(
                    "entry {}, {since}, was over {}: {reason}",
                    run.entry,
                    self.told(ended)
                )
            }
            _ => format!("entry {}: in it since {since}", run.entry),
        };
        Point::new("entry", Some(is_live), text).at(run.started_at)
    }

    async fn steps(&self, run: &Run, is_live: bool) -> Result<Vec<PastStep>> {
        let messages = self.store.run_messages(run.enrollment).await?;
        let number = |step: &str| self.published.numbers.step(&self.flow.id, step);
        let tried = |step: &str| {
            let of_step = |message: &&RunMessage| Some(message.step) == number(step);
            messages
                .iter()
                .find(of_step)
                .filter(|message| message.first_at <= self.at)
        };
        let steps = &self.flow.steps;
        let last = steps.iter().rposition(|step| tried(&step.id).is_some());
        let next = last.map_or(0, |last| last + 1);
        let told = steps.iter().enumerate().map(|(place, step)| {
            let bare = |state| PastStep {
                step: step.id.clone(),
                state,
                reason: None,
                at: None,
            };
            match tried(&step.id) {
                Some(message) if message.at <= self.at => PastStep {
                    reason: message.reason.map(Reason::as_str),
                    at: Some(message.at),
                    ..bare(message.state.as_str())
                },
                Some(message) => PastStep {
                    at: Some(message.first_at),
                    ..bare("being-tried")
                },
                None if place < next => bare("passed"),
                None if !is_live => bare("not-reached"),
                None if place == next => bare("waited-for"),
                None => bare("to-come"),
            }
        });
        Ok(told.collect())
    }
}
