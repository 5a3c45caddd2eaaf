//! Owns changing definitions on the command line: asking for a change, and saying what came of it.

use serde_json::{Map, Value, json};

use super::actor::ActorArgument;
use super::columns::counted;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::session::Session;
use crate::definitions::change::{Change, Done, Editor, Terms, What};
use crate::definitions::facts::{Made, Told};
use crate::definitions::refusal::Refusal;
use crate::definitions::survey::Survey;
use crate::domain::audit::Source;
use crate::domain::definition::{DefinitionKind, Definitions, Origin};
use crate::workspace;

/// Who changes a definition, and how what came of it is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

/// Makes a change and says what came of it.
pub(crate) async fn make(
    session: &Session,
    asking: &Asking,
    change: Change,
    terms: &Terms,
) -> anyhow::Result<Exit> {
    let by = asking.actor.by(&session.settings, Source::CommandLine);
    let editor = Editor {
        store: &session.store,
        clock: &*session.clock,
        by: &by,
    };
    let format = asking.format.format;
    match editor.change(&change, terms).await {
        Ok(done) => say(format, &change, terms, &done),
        Err(refusal) => refuse(format, refusal),
    }
}

fn say(format: Format, change: &Change, terms: &Terms, done: &Done) -> anyhow::Result<Exit> {
    let (kind, name) = (change.kind, change.name.as_str());
    match format {
        Format::Json => output::json(&json!({
            "kind": kind,
            "name": name,
            "changed": done.changed,
            "revision": done.revision.map(|revision| revision.0),
            "values": done.survey,
        }))?,
        Format::Text => {
            let said = match (done.revision, &change.what) {
                _ if terms.dry_run => "nothing was changed: this was a dry run".to_owned(),
                (Some(revision), _) if !done.changed => {
                    format!("{kind} {name}: was so already in revision {}", revision.0)
                }
                (Some(revision), What::Remove) => {
                    format!("{kind} {name}: removed with revision {}", revision.0)
                }
                (Some(revision), _) => {
                    format!("{kind} {name}: in force with revision {}", revision.0)
                }
                (None, _) => format!("{kind} {name}"),
            };
            let values = done.survey.as_ref().map(values).unwrap_or_default();
            output::facts(&format!("{values}{said}\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// What becomes of the values of a field, in words.
fn values(survey: &Survey) -> String {
    let rows = [
        ("customers with a value", survey.customers),
        ("convert", survey.converts),
        ("do not convert", survey.lost),
        ("fail a rule", survey.fails),
    ];
    let row = |(what, count): (&str, u64)| format!("  {what:<24}{}\n", counted(count));
    let rows: String = rows.into_iter().map(row).collect();
    let examples = survey.examples.iter().map(|example| {
        let (customer, value, reason) = (&example.customer, &example.value, &example.reason);
        format!("    {customer}: `{value}`: {reason}\n")
    });
    format!("{}:\n{rows}{}", survey.field, examples.collect::<String>())
}

fn refuse(format: Format, refusal: Refusal) -> anyhow::Result<Exit> {
    if let Refusal::Store(error) = refusal {
        return Err(error.into());
    }
    let told = refusal.to_string();
    match (format, refusal) {
        (Format::Json, Refusal::Wrong { mistakes, .. }) => {
            output::json(&json!({ "changed": false, "errors": mistakes }))?;
        }
        (Format::Json, Refusal::Loses(survey)) => {
            output::json(&json!({ "changed": false, "error": told, "values": survey }))?;
        }
        (Format::Json, _) => output::json(&json!({ "changed": false, "error": told }))?,
        (Format::Text, Refusal::Wrong { shown, .. }) => {
            output::problem(&format!("nothing was changed:\n\n{shown}"));
        }
        (Format::Text, _) => output::problem(&told),
    }
    Ok(Exit::No)
}

/// Keys of a definition as they were given, which replace what is there.
#[derive(Default)]
pub(crate) struct Given(pub(crate) Map<String, Value>);

impl Given {
    pub(crate) fn put<T: Into<Value>>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    /// Null takes a key away.
    pub(crate) fn clear(&mut self, keys: &[String]) {
        for key in keys {
            self.0.insert(key.clone(), Value::Null);
        }
    }
}

/// A value of the flow language, such as `{ field: city, is: Lyon }`.
pub(crate) fn yaml(text: &str) -> Result<Value, String> {
    workspace::value(text)
}

/// What is in force, and what of it is in the store.
pub(crate) fn told<'a>(session: &'a Session, definitions: &'a Definitions) -> Told<'a> {
    Told {
        revision: &session.published.revision,
        numbers: &session.published.numbers,
        definitions,
    }
}

/// Where a definition is, in a word or two.
pub(crate) fn origin(made: &Made) -> String {
    match (made.origin, &made.author) {
        (Origin::Store, Some(author)) => format!("made by {author}"),
        _ => "in a file".to_owned(),
    }
}

/// A change of one definition.
pub(crate) fn change(kind: DefinitionKind, name: &str, what: What) -> Change {
    Change {
        kind,
        name: name.to_owned(),
        what,
    }
}
