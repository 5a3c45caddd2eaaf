//! Owns `drumbeat segment`: who meets a condition now, and segments that are in no file.

use clap::Subcommand;
use serde_json::json;

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::session::{self, Session};
use super::{conditions, customer_search, customer_text, output};
use crate::customers::briefs::briefs;
use crate::customers::counting;
use crate::customers::names::{self, UnknownName};
use crate::domain::definition::DefinitionKind;
use crate::domain::segment::Segment;
use crate::domain::segment_words;
use crate::store::Frame;

const KIND: DefinitionKind = DefinitionKind::Segment;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The segment in words, how many customers are in it, and some of them.
    Preview(Preview),
    /// The segment in words, and how many customers are in it.
    Count(Count),
    /// All segments, in words.
    List(conditions::List),
    /// Adds a segment, which flows can name at once.
    Add(conditions::Add),
    /// Changes a segment that is in no file.
    Change(conditions::Edit),
    /// Removes a segment that is in no file, unless something names it.
    Remove(conditions::Remove),
}

#[derive(Debug, clap::Args)]
struct Preview {
    /// The segment's id; `flow:ID` for the one that a flow carries itself.
    name: String,
    /// How many customers are listed.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Count {
    /// The segment's id; `flow:ID` for the one that a flow carries itself.
    #[arg(required_unless_present = "condition", conflicts_with = "condition")]
    name: Option<String>,
    /// A condition that is no segment yet: everybody is counted, and who is left after each part of `all`.
    #[arg(long = "where", value_name = "YAML", id = "condition")]
    condition: Option<String>,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::Preview(verb) => preview(session, verb).await,
        Verb::Count(verb) => count(session, verb).await,
        Verb::List(verb) => conditions::list(session, KIND, verb).await,
        Verb::Add(verb) => conditions::add(session, KIND, verb).await,
        Verb::Change(verb) => conditions::edit(session, KIND, verb).await,
        Verb::Remove(verb) => conditions::remove(session, KIND, verb).await,
    })
}

async fn preview(session: &Session, verb: &Preview) -> anyhow::Result<Exit> {
    let (segment, frame) = (found(session, &verb.name)?, frame(session));
    let (store, model) = (&session.store, &session.published.revision.data_model);
    let count = store.segment_count(&segment.condition, &frame).await?;
    let ids = store
        .customers_meeting_after(&segment.condition, &frame, None, verb.limit)
        .await?;
    let customers = store.customers(&ids, model).await?;
    match verb.format.format {
        Format::Json => {
            let (revision, now) = (&session.published.revision, frame.now);
            let customers = briefs(store, revision, &ids, now).await?;
            output::json(&json!({
                "segment": segment.id,
                "words": segment_words::words(&segment.condition, model),
                "count": count,
                "customers": customers,
            }))?;
        }
        Format::Text => {
            let rows: Vec<_> = customers.iter().map(customer_text::brief).collect();
            let head = head(session, segment, count);
            output::facts(&format!("{head}{}", aligned(2, &rows)))?;
        }
    }
    Ok(Exit::Done)
}

async fn count(session: &Session, verb: &Count) -> anyhow::Result<Exit> {
    let frame = frame(session);
    let Some(name) = &verb.name else {
        return in_turn(session, verb, &frame).await;
    };
    let segment = found(session, name)?;
    let count = session
        .store
        .segment_count(&segment.condition, &frame)
        .await?;
    let model = &session.published.revision.data_model;
    match verb.format.format {
        Format::Json => output::json(&json!({
            "segment": segment.id,
            "words": segment_words::words(&segment.condition, model),
            "count": count,
        }))?,
        Format::Text => output::facts(&head(session, segment, count))?,
    }
    Ok(Exit::Done)
}

/// Everybody, and who is left after each part of the condition.
async fn in_turn(session: &Session, verb: &Count, frame: &Frame<'_>) -> anyhow::Result<Exit> {
    let written = verb.condition.as_deref().unwrap_or_default();
    let Some(condition) = customer_search::condition(written, frame.revision) else {
        return Ok(Exit::Misuse);
    };
    let counted_parts = counting::in_turn(&session.store, condition, frame).await?;
    match verb.format.format {
        Format::Json => output::json(&serde_json::to_value(&counted_parts)?)?,
        Format::Text => {
            let everybody = [counted(counted_parts.everybody), "everybody".to_owned()];
            let steps = counted_parts.steps.into_iter();
            let steps = steps.map(|step| [counted(step.count), step.words]);
            let rows: Vec<_> = [everybody].into_iter().chain(steps).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn found<'a>(session: &'a Session, name: &str) -> Result<&'a Segment, UnknownName> {
    names::segment(&session.published.revision, name)
}

fn frame(session: &Session) -> Frame<'_> {
    Frame {
        revision: &session.published.revision,
        numbers: &session.published.numbers,
        now: session.clock.now(),
    }
}

fn head(session: &Session, segment: &Segment, count: u64) -> String {
    let model = &session.published.revision.data_model;
    let words = segment_words::words(&segment.condition, model);
    let customers = if count == 1 { "customer" } else { "customers" };
    format!("{}: {} {customers}\n{words}\n", segment.id, counted(count))
}
