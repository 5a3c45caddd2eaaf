//! Owns `drumbeat explain`: why a customer is in a flow or not, and what became of each step and why.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::exit::Exit;
use super::explain_entry::{self, Point};
use super::explain_question::Question;
use super::explain_steps::{self, StepTold};
use super::format::{Format, FormatArgument};
use super::moments::moment_in;
use super::output;
use super::place::Place;
use super::session;
use crate::customers::names::UnknownName;
use crate::customers::profiles;
use crate::domain::revision::NameKind;
use crate::engine::Catalog;
use crate::store::Run;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The customer's unique id.
    id: String,
    /// The flow.
    flow: String,
    #[command(flatten)]
    format: FormatArgument,
}

struct Explanation {
    runs: Vec<Run>,
    points: Vec<Point>,
    steps: Vec<StepTold>,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let revision = &session.published.revision;
        let flow = revision.flows.get(&arguments.flow).ok_or_else(|| {
            let known = revision.flows.keys().map(String::as_str);
            UnknownName::new("flow", &arguments.flow, known)
        })?;
        let customer = profiles::customer(&session.store, revision, &arguments.id).await?;
        let successors = session.store.successors().await?;
        let catalog = Catalog::new(session.published.clone(), successors);
        let numbers = &session.published.numbers;
        let question = Question {
            session,
            customer: &customer,
            flow,
            number: numbers
                .number(NameKind::Flow, &flow.id)
                .ok_or_else(|| anyhow::anyhow!("`{}` was never published", flow.id))?,
            zone: catalog.zone_of(&customer),
            catalog: &catalog,
            now: session.clock.now(),
        };
        let explanation = explain(&question).await?;
        match arguments.format.format {
            Format::Json => output::json(&facts(&question, &explanation))?,
            Format::Text => output::facts(&text(&question, &explanation))?,
        }
        Ok(Exit::Done)
    })
}

async fn explain(question: &Question<'_>) -> anyhow::Result<Explanation> {
    let store = &question.session.store;
    let runs = store.runs(question.customer.id, question.number).await?;
    let points = explain_entry::points(question, &runs).await?;
    let steps = match runs.first() {
        Some(run) => explain_steps::told(question, run).await?,
        None => Vec::new(),
    };
    Ok(Explanation {
        runs,
        points,
        steps,
    })
}

fn facts(question: &Question<'_>, explanation: &Explanation) -> Value {
    let run = explanation.runs.first();
    let points = explanation.points.iter().map(|point| {
        json!({
            "rule": point.rule,
            "met": point.met,
            "text": point.text,
            "value": point.value,
            "at": point.at,
        })
    });
    let steps = explanation.steps.iter().map(|step| {
        json!({
            "step": step.id,
            "channel": step.channel,
            "state": step.state,
            "due": step.due,
            "reason": step.reason,
            "at": step.at,
            "why": step.why,
            "attempts": step.attempts,
        })
    });
    json!({
        "customer": question.customer.external_id,
        "flow": question.flow.id,
        "enrolled": run.is_some_and(explain_entry::has_entered),
        "status": run.map(|run| run.status),
        "entry": run.map(|run| run.entry),
        "started_at": run.map(|run| run.started_at),
        "finished_at": run.and_then(|run| run.finished_at),
        "exit_reason": run.and_then(|run| run.exit_reason),
        "zone": question.zone.iana_name(),
        "now": question.now,
        "reasons": points.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

fn text(question: &Question<'_>, explanation: &Explanation) -> String {
    let (customer, flow) = (&question.customer.external_id, &question.flow.id);
    let head = match explanation.runs.first() {
        Some(run) => explain_entry::headline(question, run),
        None => "is not in it, and never was".to_owned(),
    };
    let mut text = format!("{customer} and {flow}: {head}\n\nwhy\n");
    for point in &explanation.points {
        let mark = match point.met {
            Some(true) => "+",
            Some(false) => "-",
            None => " ",
        };
        let value = point.value.as_ref();
        let value = value.map_or_else(String::new, |value| format!(" ({value})"));
        let _ = writeln!(text, "  {mark} {}{value}", point.text);
    }
    if !explanation.steps.is_empty() {
        text.push_str("\nsteps\n");
    }
    for step in &explanation.steps {
        text.push_str(&step_text(question, step));
    }
    text
}

fn step_text(question: &Question<'_>, step: &StepTold) -> String {
    let channel = step.channel.map_or("wait", |channel| channel.as_str());
    let when = match (step.at, step.due) {
        (_, Some(due)) => format!("due {}", moment_in(due, &question.zone)),
        (Some(at), None) => moment_in(at, &question.zone),
        (None, None) => String::new(),
    };
    let reason = step.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let first = format!("  {} ({channel})  {}{reason}  {when}", step.id, step.state);
    let mut text = format!("{}\n", first.trim_end());
    for line in &step.why {
        let _ = writeln!(text, "    {line}");
    }
    text
}
