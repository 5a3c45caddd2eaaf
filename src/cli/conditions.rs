//! Owns the verbs that segments and smart lists share: listed, added, changed, removed.

use serde_json::{Value, json};

use super::columns::aligned;
use super::defining::{Asking, Given, change, make, origin, told, yaml};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::session::Session;
use crate::definitions::change::{Terms, What};
use crate::definitions::facts::SegmentFacts;
use crate::domain::definition::DefinitionKind;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    /// The condition, such as `{ field: city, is: Lyon }`.
    #[arg(long = "where", value_name = "YAML", value_parser = yaml)]
    condition: Value,
    /// In a sentence, who they are.
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    /// The new condition.
    #[arg(long = "where", value_name = "YAML", value_parser = yaml)]
    condition: Option<Value>,
    /// In a sentence, who they are.
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn list(
    session: &Session,
    kind: DefinitionKind,
    verb: &List,
) -> anyhow::Result<Exit> {
    let definitions = session.store.definitions().await?;
    let found = told(session, &definitions).segments(kind);
    match verb.format.format {
        Format::Json => {
            let key = match kind {
                DefinitionKind::SmartList => "smart_lists",
                _ => "segments",
            };
            let found: Vec<Value> = found.iter().map(facts).collect();
            output::json(&json!({ key: found }))?;
        }
        Format::Text => {
            let row = |one: &SegmentFacts| [one.name.clone(), one.words.clone(), origin(&one.made)];
            let rows: Vec<_> = found.iter().map(row).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn facts(segment: &SegmentFacts) -> Value {
    json!({
        "name": segment.name,
        "description": segment.description,
        "words": segment.words,
        "where": segment.condition,
        "origin": segment.made.origin,
        "author": segment.made.author,
        "version": segment.made.version,
        "created_at": segment.made.created_at,
        "updated_at": segment.made.updated_at,
    })
}

pub(crate) async fn add(
    session: &Session,
    kind: DefinitionKind,
    verb: &Add,
) -> anyhow::Result<Exit> {
    let mut given = Given::default();
    given.put("description", verb.description.clone());
    given.put("where", Some(verb.condition.clone()));
    let change = change(kind, &verb.name, What::Add(given.0));
    make(session, &verb.asking, change, &Terms::default()).await
}

pub(crate) async fn edit(
    session: &Session,
    kind: DefinitionKind,
    verb: &Edit,
) -> anyhow::Result<Exit> {
    let mut given = Given::default();
    given.put("description", verb.description.clone());
    given.put("where", verb.condition.clone());
    let change = change(kind, &verb.name, What::Edit(given.0));
    make(session, &verb.asking, change, &Terms::default()).await
}

pub(crate) async fn remove(
    session: &Session,
    kind: DefinitionKind,
    verb: &Remove,
) -> anyhow::Result<Exit> {
    let change = change(kind, &verb.name, What::Remove);
    make(session, &verb.asking, change, &Terms::default()).await
}
