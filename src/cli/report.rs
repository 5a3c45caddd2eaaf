//! Owns `drumbeat report`: what a flow has done, step by step, and what it brought.

use clap::ValueEnum;

use super::exit::Exit;
use super::output;
use super::place::Place;
use super::report_page;
use super::report_words as words;
use super::session;
use crate::customers::names;
use crate::engine::flow_report::FlowReport;

/// What a flow has done: how far customers came, what became of each step's messages, who opened, clicked
/// and reached the goal, and how that compares with those who were held out.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The flow.
    flow: String,
    /// How the facts are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one object with stable keys.
    Json,
    /// For spreadsheets: a row for each step, and for each channel and variant of it.
    Csv,
    /// A page with charts, in one file.
    Html,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let published = &session.published;
        let flow = names::flow(&published.revision, &arguments.flow)?;
        let now = session.clock.now();
        let report = FlowReport::read(&session.store, published, flow, now).await?;
        let zone = published.revision.time_zone();
        match arguments.format {
            Format::Text => output::facts(&words::text(&report, &zone))?,
            Format::Json => output::json(&serde_json::to_value(&report)?)?,
            Format::Csv => output::facts(&words::csv(&report)?)?,
            Format::Html => output::facts(&report_page::html(&report, &zone)?)?,
        }
        Ok(Exit::Done)
    })
}
