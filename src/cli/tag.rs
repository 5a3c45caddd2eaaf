//! Owns `drumbeat tag`: which tags there are, who carries them, and what people add without a file.

use clap::Subcommand;
use serde_json::json;

use super::columns::{aligned, counted};
use super::confirm::Confirmation;
use super::defining::{Asking, Given, change, make, origin, told};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::definitions::change::{Terms, What};
use crate::definitions::facts::TagFacts;
use crate::domain::definition::DefinitionKind;

const KIND: DefinitionKind = DefinitionKind::Tag;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All tags, with how many customers carry each.
    List(List),
    /// Adds a tag, which is known at once.
    Add(Add),
    /// Changes a tag's description or colour.
    Change(Edit),
    /// Removes a tag, unless customers carry it.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    format: FormatArgument,
}

/// What a tag is.
#[derive(Debug, clap::Args)]
struct Body {
    /// What it stands for.
    #[arg(long)]
    description: Option<String>,
    /// `#rrggbb`
    #[arg(long)]
    color: Option<String>,
}

impl Body {
    fn given(&self) -> Given {
        let mut given = Given::default();
        given.put("description", self.description.clone());
        given.put("color", self.color.clone());
        given
    }
}

#[derive(Debug, clap::Args)]
struct Add {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
struct Edit {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    body: Body,
    /// Takes a key away, such as `color`; may be given several times.
    #[arg(long = "clear", value_name = "KEY")]
    clear: Vec<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[arg(id = "definition", value_name = "NAME")]
    name: String,
    /// Takes it from those who carry it.
    #[arg(long = "remove-from-customers")]
    from_customers: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::List(verb) => list(session, verb).await,
        Verb::Add(verb) => {
            let change = change(KIND, &verb.name, What::Add(verb.body.given().0));
            make(session, &verb.asking, change, &Terms::default()).await
        }
        Verb::Change(verb) => {
            let mut given = verb.body.given();
            given.clear(&verb.clear);
            let change = change(KIND, &verb.name, What::Edit(given.0));
            make(session, &verb.asking, change, &Terms::default()).await
        }
        Verb::Remove(verb) => remove(session, verb).await,
    })
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let definitions = session.store.definitions().await?;
    let counts = session.store.tag_counts().await?;
    let tags = told(session, &definitions).tags(&counts);
    match verb.format.format {
        Format::Json => output::json(&json!({ "tags": tags }))?,
        Format::Text => {
            let rows: Vec<_> = tags.iter().map(row).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn row(tag: &TagFacts) -> [String; 5] {
    [
        tag.tag.clone(),
        counted(tag.customers),
        tag.color.clone().unwrap_or_default(),
        tag.description.clone().unwrap_or_default(),
        origin(&tag.made),
    ]
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let wish = format!("take the tag `{}` from all who carry it", verb.name);
    if verb.from_customers && !verb.confirmation.is_given(&wish)? {
        return Ok(Exit::No);
    }
    let terms = Terms {
        erases: verb.from_customers,
        ..Terms::default()
    };
    let change = change(KIND, &verb.name, What::Remove);
    make(session, &verb.asking, change, &terms).await
}
