//! Owns `drumbeat explain`: why a customer is in a flow or not, and what became of each step and why.

use std::fmt::Write as _;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment_in;
use super::output;
use super::place::Place;
use super::session;
use crate::customers::{names, profiles};
use crate::engine::Catalog;
use crate::engine::explain::{Explanation, StepTold, explain};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The customer's unique id.
    id: String,
    /// The flow.
    flow: String,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let (store, revision) = (&session.store, &session.published.revision);
        let flow = names::flow(revision, &arguments.flow)?;
        let customer = profiles::customer(store, revision, &arguments.id).await?;
        let successors = store.successors().await?;
        let catalog = Catalog::new(session.published.clone(), successors);
        let now = session.clock.now();
        let explanation = explain(store, &catalog, &customer, flow, now).await?;
        match arguments.format.format {
            Format::Json => output::json(&serde_json::to_value(&explanation)?)?,
            Format::Text => output::facts(&text(&explanation))?,
        }
        Ok(Exit::Done)
    })
}

fn text(explanation: &Explanation) -> String {
    let Explanation {
        customer,
        flow,
        headline,
        ..
    } = explanation;
    let mut text = format!("{customer} and {flow}: {headline}\n\nwhy\n");
    for point in &explanation.reasons {
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
