//! Owns `drumbeat explain`: why a customer is in a flow or not, and what became of each step and why; the
//! same of a moment in the past, and of many customers by reason.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::columns::{aligned, counted};
use super::customer_search;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::{given, moment_in};
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::{names, profiles};
use crate::engine::Catalog;
use crate::engine::explain::{
    AudienceGroup, AudienceTold, Explanation, PastTold, Point, StepTold, audience, explain, past,
};

/// Says why a customer is in a flow or not, and what became of each step.
///
/// Without a customer: how many of those who qualify are in the flow, and how many are not, by reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The customer's unique id, and the flow; or the flow alone.
    #[arg(value_names = ["ID", "FLOW"], num_args = 1..=2, required = true)]
    names: Vec<String>,
    /// As it was then: a date, `2026-01-31T09:30` by the workspace's clock, or an instant.
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Of the flow alone: those of another segment instead of its own.
    #[arg(long, value_name = "NAME", conflicts_with = "condition")]
    segment: Option<String>,
    /// Of the flow alone: those who meet this condition, such as `{ tag: vip }`.
    #[arg(long = "where", value_name = "YAML", id = "condition")]
    condition: Option<String>,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let successors = session.store.successors().await?;
        let catalog = Catalog::new(session.published.clone(), successors);
        let asks_of_many = arguments.segment.is_some() || arguments.condition.is_some();
        match (arguments.names.as_slice(), &arguments.at) {
            ([customer, flow], at) if !asks_of_many => {
                let format = arguments.format.format;
                let customer = (customer.as_str(), flow.as_str());
                match at {
                    Some(at) => then(session, &catalog, customer, at, format).await,
                    None => now(session, &catalog, customer, format).await,
                }
            }
            ([flow], None) => many(session, &catalog, flow, arguments).await,
            _ => {
                output::problem(
                    "name a customer and a flow, with or without --at; or a flow alone, with or without --segment or --where",
                );
                Ok(Exit::Misuse)
            }
        }
    })
}

async fn now(
    session: &Session,
    catalog: &Catalog,
    (customer, flow): (&str, &str),
    format: Format,
) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let flow = names::flow(revision, flow)?;
    let customer = profiles::customer(store, revision, customer).await?;
    let explanation = explain(store, catalog, &customer, flow, session.clock.now()).await?;
    match format {
        Format::Json => output::json(&serde_json::to_value(&explanation)?)?,
        Format::Text => output::facts(&text(&explanation))?,
    }
    Ok(Exit::Done)
}

async fn then(
    session: &Session,
    catalog: &Catalog,
    (customer, flow): (&str, &str),
    at: &str,
    format: Format,
) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let at: Timestamp = given(at, &revision.time_zone())?;
    let customer = profiles::customer(store, revision, customer).await?;
    let told = past(store, catalog, &customer, flow, at).await?;
    match format {
        Format::Json => output::json(&serde_json::to_value(&told)?)?,
        Format::Text => output::facts(&past_text(&told))?,
    }
    Ok(Exit::Done)
}

async fn many(
    session: &Session,
    catalog: &Catalog,
    flow: &str,
    arguments: &Arguments,
) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let flow = names::flow(revision, flow)?;
    let about = match (&arguments.segment, &arguments.condition) {
        (Some(segment), _) => Some(names::segment(revision, segment)?.condition.clone()),
        (None, Some(written)) => match customer_search::condition(written, revision) {
            Some(condition) => Some(condition),
            None => return Ok(Exit::Misuse),
        },
        (None, None) => None,
    };
    let told = audience(store, catalog, flow, about.as_ref(), session.clock.now()).await?;
    match arguments.format.format {
        Format::Json => output::json(&serde_json::to_value(&told)?)?,
        Format::Text => output::facts(&audience_text(&told))?,
    }
    Ok(Exit::Done)
}

fn audience_text(told: &AudienceTold) -> String {
    let customers = if told.customers == 1 {
        "customer"
    } else {
        "customers"
    };
    let mut text = format!(
        "{}, and the {} {customers} with: {}\n",
        told.flow,
        counted(told.customers),
        told.about
    );
    let row = |group: &AudienceGroup| {
        let mark = if group.in_it { "+" } else { "-" };
        let example = group.example.as_ref();
        let example = example.map_or_else(String::new, |id| format!(", such as {id}"));
        let said = format!("{}{example}", group.text);
        [mark.to_owned(), counted(group.customers), said]
    };
    let rows: Vec<_> = told.groups.iter().map(row).collect();
    text.push_str(&aligned(2, &rows));
    text
}

fn past_text(told: &PastTold) -> String {
    let at = moment_in(told.at, &told.clocks);
    let stood = if told.in_it {
        "was in it"
    } else {
        "was not in it"
    };
    let mut text = format!(
        "{} and {} at {at}: {stood}\n\nwhy\n",
        told.customer, told.flow
    );
    points(&told.reasons, &mut text);
    if !told.steps.is_empty() {
        text.push_str("\nsteps\n");
    }
    for step in &told.steps {
        let reason = step
            .reason
            .map_or_else(String::new, |reason| format!(": {reason}"));
        let at = step
            .at
            .map_or_else(String::new, |at| moment_in(at, &told.clocks));
        let line = format!("  {}  {}{reason}  {at}", step.step, step.state);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn points(points: &[Point], text: &mut String) {
    for point in points {
        let mark = match point.met {
            Some(true) => "+",
            Some(false) => "-",
            None => " ",
        };
        let value = point.value.as_ref();
        let value = value.map_or_else(String::new, |value| format!(" ({value})"));
        let _ = writeln!(text, "  {mark} {}{value}", point.text);
    }
}

fn text(explanation: &Explanation) -> String {
    let Explanation {
        customer,
        flow,
        headline,
        ..
    } = explanation;
    let mut text = format!("{customer} and {flow}: {headline}\n\nwhy\n");
    points(&explanation.reasons, &mut text);
    if !explanation.steps.is_empty() {
        text.push_str("\nsteps\n");
    }
    for step in &explanation.steps {
        text.push_str(&step_text(explanation, step));
    }
    text
}

fn step_text(explanation: &Explanation, step: &StepTold) -> String {
    let channel = step.channel.map_or("wait", |channel| channel.as_str());
    let when = match (step.at, step.due) {
        (_, Some(due)) => format!("due {}", moment_in(due, &explanation.clocks)),
        (Some(at), None) => moment_in(at, &explanation.clocks),
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
