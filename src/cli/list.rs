//! Owns `drumbeat list`: fixed sets of customers, made, filled, shown and removed.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::actor::ActorArgument;
use super::columns::{aligned, counted};
use super::confirm::Confirmation;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::picks::{self, Matching};
use super::place::Place;
use super::session::{self, Session};
use crate::customers::briefs::briefs;
use crate::customers::jobs::picking::Picked;
use crate::customers::lists::{self, ListFacts, MembersChange};
use crate::customers::remarks::remark;
use crate::domain::audit::Source;
use crate::domain::list::check_name;

/// Failures that are named one by one.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All lists, with how many customers are on each.
    #[command(visible_alias = "ls")]
    List(List),
    /// Makes an empty list.
    Add(Add),
    /// Names a list anew, or describes it anew.
    Change(Change),
    /// Removes a list; the customers stay.
    Remove(Remove),
    /// The customers on a list.
    Show(Show),
    /// Puts customers on a list.
    Put(Put),
    /// Takes customers off a list.
    Take(Put),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Add {
    #[arg(value_name = "NAME")]
    list: String,
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Change {
    #[arg(value_name = "NAME")]
    list: String,
    /// A name that no list ever had.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// An empty text takes the description away.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[arg(value_name = "NAME")]
    list: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[arg(value_name = "NAME")]
    list: String,
    /// How many customers are shown.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Put {
    #[arg(value_name = "NAME")]
    list: String,
    /// The customers' unique ids.
    #[arg(value_name = "ID", required_unless_present = "file")]
    ids: Vec<String>,
    /// A CSV, XLSX or JSON Lines file that names them in a column; its first row names the columns.
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    file: Option<PathBuf>,
    #[command(flatten)]
    matching: Matching,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::List(verb) => list(session, verb).await,
        Verb::Add(verb) => add(session, verb).await,
        Verb::Change(verb) => change(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
        Verb::Show(verb) => show(session, verb).await,
        Verb::Put(verb) => put(session, verb, true).await,
        Verb::Take(verb) => put(session, verb, false).await,
    })
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let found = session.store.lists().await?;
    let facts: Vec<ListFacts> = found.iter().map(ListFacts::of).collect();
    match verb.format.format {
        Format::Json => output::json(&json!({ "lists": facts }))?,
        Format::Text => {
            let row = |list: &ListFacts| {
                let description = list.description.clone().unwrap_or_default();
                [list.list.clone(), counted(list.customers), description]
            };
            output::facts(&aligned(0, &facts.iter().map(row).collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

async fn add(session: &Session, verb: &Add) -> anyhow::Result<Exit> {
    named(&verb.list)?;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (store, at) = (&session.store, session.clock.now());
    let description = remark("description", verb.description.as_deref())?;
    store.add_list(&verb.list, description, &by, at).await?;
    say_one(session, &verb.list, "made", verb.format.format).await
}

async fn change(session: &Session, verb: &Change) -> anyhow::Result<Exit> {
    let new = verb.rename.as_deref();
    new.map_or(Ok(()), named)?;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (store, revision) = (&session.store, &session.published.revision);
    let description = match verb.description.as_deref() {
        Some(text) => Some(remark("description", Some(text))?),
        None => None,
    };
    let to = (new, description);
    lists::change(store, revision, &verb.list, to, (&by, session.clock.now())).await?;
    let name = new.unwrap_or(&verb.list);
    say_one(session, name, "changed", verb.format.format).await
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let list = lists::list(store, &verb.list).await?;
    let wish = format!(
        "remove the list {} of {} customers",
        list.name,
        counted(list.customers)
    );
    if !verb.confirmation.is_given(&wish)? {
        return Ok(Exit::No);
    }
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    lists::remove(store, revision, &verb.list, (&by, session.clock.now())).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: removed\n", verb.list))?,
        Format::Json => output::json(&json!({ "list": verb.list, "removed": true }))?,
    }
    Ok(Exit::Done)
}

async fn show(session: &Session, verb: &Show) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let list = lists::list(store, &verb.list).await?;
    let number = lists::number(store, &verb.list).await?;
    let ids = store.list_members_after(number, None, verb.limit).await?;
    let customers = store.customers(&ids, &revision.data_model).await?;
    match verb.format.format {
        Format::Json => {
            let mut facts = serde_json::to_value(ListFacts::of(&list))?;
            facts["count"] = json!(list.customers);
            let now = session.clock.now();
            let customers = briefs(store, revision, &ids, now).await?;
            facts["customers"] = json!(customers);
            output::json(&facts)?;
        }
        Format::Text => {
            let row = |customer: &crate::domain::customer::Customer| {
                let text = |field| customer.text(field).unwrap_or_default().to_owned();
                [
                    customer.external_id.clone(),
                    text("first_name"),
                    text("last_name"),
                    text("email"),
                ]
            };
            let rows: Vec<[String; 4]> = customers.iter().map(row).collect();
            let head = format!("{}: {} customers\n", list.name, counted(list.customers));
            output::facts(&(head + &aligned(2, &rows)))?;
        }
    }
    Ok(Exit::Done)
}

async fn put(session: &Session, verb: &Put, is_put_on: bool) -> anyhow::Result<Exit> {
    let picked = match &verb.file {
        Some(file) => picks::from_file(session, file.clone(), &verb.matching).await?,
        None => verb.matching.picked(session, &verb.ids).await?,
    };
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (store, at) = (&session.store, session.clock.now());
    let change = lists::put_picked(store, &verb.list, &picked, is_put_on, (&by, at)).await?;
    say_change(&change, &picked, verb.format.format)?;
    Ok(if picked.failures.is_empty() {
        Exit::Done
    } else {
        Exit::No
    })
}

fn say_change(change: &MembersChange, picked: &Picked, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json(&serde_json::to_value(change)?)?,
        Format::Text => {
            let (added, removed) = (counted(change.added), counted(change.removed));
            output::facts(&format!(
                "{}: {added} added, {removed} removed\n",
                change.list
            ))?;
            for failure in picked.failures.iter().take(SHOWN) {
                let who = failure.who.as_deref().unwrap_or_default();
                output::aside(&format!("  {who}: {}", failure.what))?;
            }
            if let Some(more) = picked.failures.len().checked_sub(SHOWN + 1) {
                output::aside(&format!("  … and {} more", more + 1))?;
            }
        }
    }
    Ok(())
}

async fn say_one(
    session: &Session,
    name: &str,
    done: &str,
    format: Format,
) -> anyhow::Result<Exit> {
    match format {
        Format::Text => output::facts(&format!("{name}: {done}\n"))?,
        Format::Json => {
            let list = lists::list(&session.store, name).await?;
            output::json(&serde_json::to_value(ListFacts::of(&list))?)?;
        }
    }
    Ok(Exit::Done)
}

fn named(name: &str) -> anyhow::Result<()> {
    match check_name(name) {
        Ok(()) => Ok(()),
        Err(wrong) => bail!("the name of a list {wrong}"),
    }
}
