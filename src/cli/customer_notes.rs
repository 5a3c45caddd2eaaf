//! Owns `drumbeat customer note`.

use clap::Subcommand;
use serde_json::json;

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::session::Session;
use super::{customer_work, output};
use crate::customers::facts::NoteFacts;
use crate::customers::notes;
use crate::domain::audit::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Note {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Writes a note down.
    Add(Add),
    /// The notes on a customer, the newest first.
    List(List),
    /// Removes a note by its number.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The customer's unique id.
    id: String,
    /// What it says.
    body: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The customer's unique id.
    id: String,
    /// The note's number.
    note: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(session: &Session, note: &Note) -> anyhow::Result<Exit> {
    match &note.verb {
        Verb::Add(verb) => add(session, verb).await,
        Verb::List(verb) => list(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
    }
}

async fn add(session: &Session, verb: &Add) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let number = notes::add(&session.store, &verb.id, &verb.body, &by, at).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: note {number} added\n", verb.id))?,
        Format::Json => output::json(&json!({ "customer": verb.id, "note": number }))?,
    }
    Ok(Exit::Done)
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let found = notes::list(&session.store, &verb.id).await?;
    match verb.format.format {
        Format::Text => {
            let zone = session.published.revision.time_zone();
            output::facts(&customer_work::notes(&found, &zone))?;
        }
        Format::Json => {
            let found: Vec<_> = found.iter().map(NoteFacts::of).collect();
            output::json(&json!({ "notes": found }))?;
        }
    }
    Ok(Exit::Done)
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let (id, number) = (&verb.id, verb.note);
    let removed = notes::remove(&session.store, id, number, &by, at).await?;
    if !removed {
        output::problem(&format!(
            "`{id}` has no note {number}: see `customer note list {id}`"
        ));
        return Ok(Exit::No);
    }
    match verb.format.format {
        Format::Text => output::facts(&format!("{id}: note {number} removed\n"))?,
        Format::Json => {
            output::json(&json!({ "customer": id, "note": number, "removed": true }))?;
        }
    }
    Ok(Exit::Done)
}
