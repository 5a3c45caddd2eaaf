//! Owns `drumbeat field`: the data model, and what people change of it without a file.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Value, json};

use super::columns::aligned;
use super::confirm::Confirmation;
use super::defining::{Asking, Given, change, make, origin, told, yaml};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::names::UnknownName;
use crate::definitions::change::{Terms, What};
use crate::definitions::facts::FieldFacts;
use crate::domain::definition::DefinitionKind;
use crate::domain::field::Cardinality;

const KIND: DefinitionKind = DefinitionKind::Field;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All fields, with their types and where they are defined.
    List(List),
    /// One field, with its rules.
    Show(Show),
    /// Adds a field, which is in force at once.
    Add(Add),
    /// Changes a field; values of customers are converted when its type changes.
    Change(Edit),
    /// Removes a field, unless something names it.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Show {
    identifier: String,
    #[command(flatten)]
    format: FormatArgument,
}

/// What a field is.
#[derive(Debug, clap::Args)]
struct Body {
    /// What people call it.
    #[arg(long)]
    description: Option<String>,
    /// What it holds: text, email, phone, integer, number, boolean, date, datetime, url or choice.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// `profile` or `demographic`.
    #[arg(long)]
    category: Option<String>,
    /// `one` or `many`.
    #[arg(long)]
    cardinality: Option<String>,
    /// A value of a choice; may be given several times.
    #[arg(long = "choice", value_name = "VALUE")]
    choices: Vec<String>,
    /// A rule and its message, such as `{ starts-with: "@", message: "must begin with @" }`; may be given
    /// several times.
    #[arg(long = "validate", value_name = "YAML", value_parser = yaml)]
    validate: Vec<Value>,
}

impl Body {
    fn given(&self) -> Given {
        let mut given = Given::default();
        given.put("description", self.description.clone());
        given.put("type", self.kind.clone());
        given.put("category", self.category.clone());
        given.put("cardinality", self.cardinality.clone());
        let some = |values: Vec<Value>| (!values.is_empty()).then_some(values);
        let choices = self.choices.iter().cloned().map(Value::from);
        given.put("choices", some(choices.collect()));
        given.put("validate", some(self.validate.clone()));
        given
    }
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Lower-case letters, digits and `_`; kept for ever.
    identifier: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
struct Edit {
    identifier: String,
    #[command(flatten)]
    body: Body,
    /// Takes a key away, such as `validate`; may be given several times.
    #[arg(long = "clear", value_name = "KEY")]
    clear: Vec<String>,
    /// Only says what would become of the values that customers have.
    #[arg(long)]
    dry_run: bool,
    /// Values that do not convert may go.
    #[arg(long)]
    drop_unconvertible: bool,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
struct Remove {
    identifier: String,
    /// Erases the values that customers have; otherwise a field of the same identifier and type finds them
    /// again.
    #[arg(long)]
    erase_values: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::List(verb) => list(session, verb).await,
        Verb::Show(verb) => show(session, verb).await,
        Verb::Add(verb) => {
            let what = What::Add(verb.body.given().0);
            let change = change(KIND, &verb.identifier, what);
            make(session, &verb.asking, change, &Terms::default()).await
        }
        Verb::Change(verb) => edit(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
    })
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let definitions = session.store.definitions().await?;
    let fields = told(session, &definitions).fields();
    match verb.format.format {
        Format::Json => output::json(&json!({ "fields": fields }))?,
        Format::Text => {
            let rows: Vec<_> = fields.iter().map(row).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn row(field: &FieldFacts) -> [String; 4] {
    let from = if field.built_in && field.made.author.is_none() {
        "in every workspace".to_owned()
    } else {
        origin(&field.made)
    };
    [
        field.identifier.clone(),
        kind(field),
        field.description.clone(),
        from,
    ]
}

fn kind(field: &FieldFacts) -> String {
    let several = match field.cardinality {
        Cardinality::One => "",
        Cardinality::Many => ", many",
    };
    format!("{}{several}", field.r#type.as_str())
}

async fn show(session: &Session, verb: &Show) -> anyhow::Result<Exit> {
    let definitions = session.store.definitions().await?;
    let field = told(session, &definitions).field(&verb.identifier);
    let field = field.ok_or_else(|| {
        let known = session.published.revision.data_model.fields.iter();
        UnknownName::new(
            "field",
            &verb.identifier,
            known.map(|f| f.identifier.as_str()),
        )
    })?;
    match verb.format.format {
        Format::Json => output::json(&json!(field))?,
        Format::Text => {
            let mut text = row(&field).join("\n  ") + "\n";
            for rule in &field.validate {
                let _ = writeln!(text, "  {}", Value::Object(rule.clone()));
            }
            if !field.choices.is_empty() {
                let _ = writeln!(text, "  one of {}", field.choices.join(", "));
            }
            output::facts(&text)?;
        }
    }
    Ok(Exit::Done)
}

async fn edit(session: &Session, verb: &Edit) -> anyhow::Result<Exit> {
    let mut given = verb.body.given();
    given.clear(&verb.clear);
    let terms = Terms {
        dry_run: verb.dry_run,
        drops: verb.drop_unconvertible,
        ..Terms::default()
    };
    let change = change(KIND, &verb.identifier, What::Edit(given.0));
    make(session, &verb.asking, change, &terms).await
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let wish = format!("erase all values of `{}`", verb.identifier);
    if verb.erase_values && !verb.confirmation.is_given(&wish)? {
        return Ok(Exit::No);
    }
    let terms = Terms {
        erases: verb.erase_values,
        ..Terms::default()
    };
    let change = change(KIND, &verb.identifier, What::Remove);
    make(session, &verb.asking, change, &terms).await
}
