//! Owns `drumbeat customer bulk`: what is done to many customers, as a job.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::actor::ActorArgument;
use super::columns::counted;
use super::confirm::Confirmation;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::job_follow;
use super::picks::{Matching, Whom};
use super::session::Session;
use super::{output, words};
use crate::customers::error::Error;
use crate::customers::jobs::queue::{self, queue};
use crate::customers::profiles::BETWEEN_VALUES;
use crate::customers::remarks::remark;
use crate::domain::audit::Source;
use crate::domain::field::Cardinality;
use crate::domain::job_order::{Action, Order};
use crate::domain::revision::Revision;

#[derive(Debug, clap::Args)]
pub(crate) struct Bulk {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Puts tags of the data model on customers.
    AddTags {
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
        #[command(flatten)]
        many: Many,
    },
    /// Takes tags off customers.
    RemoveTags {
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
        #[command(flatten)]
        many: Many,
    },
    /// Puts customers on a list.
    AddToList {
        #[arg(value_name = "LIST")]
        to: String,
        #[command(flatten)]
        many: Many,
    },
    /// Takes customers off a list.
    RemoveFromList {
        #[arg(value_name = "LIST")]
        from: String,
        #[command(flatten)]
        many: Many,
    },
    /// Sets fields; an empty value clears one, `;` separates the values of a many-valued one.
    SetFields {
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = words::written_field)]
        fields: Vec<(String, String)>,
        #[command(flatten)]
        many: Many,
    },
    /// Stops all messages to customers until somebody reactivates them.
    Suspend {
        /// Why, for the record.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        many: Many,
    },
    /// Lets suspended or discarded customers be written to again.
    Reactivate {
        #[command(flatten)]
        many: Many,
    },
    /// Excludes customers from messages for good.
    Discard {
        /// Why, for the record.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        many: Many,
    },
    /// Removes customers with everything that is known of them.
    Delete {
        #[command(flatten)]
        many: Many,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Has customers enter a flow, as far as its rules let them.
    Connect {
        flow: String,
        #[command(flatten)]
        many: Many,
    },
    /// Writes customers to a file that is kept for some days: see `drumbeat export list`.
    Export {
        /// `csv`, `xlsx` or `jsonl`.
        #[arg(long = "as", value_name = "FORMAT", default_value = "csv")]
        written: String,
        /// Only these columns, beside `id`.
        #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
        fields: Option<Vec<String>>,
        #[command(flatten)]
        many: Many,
    },
}

#[derive(Debug, clap::Args)]
struct Many {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    matching: Matching,
    /// Does not wait until the job is over.
    #[arg(long)]
    background: bool,
    /// Only says how many customers it would look at.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(session: &Session, bulk: &Bulk) -> anyhow::Result<Exit> {
    let (action, many) = bulk.verb.order(&session.published.revision)?;
    let confirmation = match &bulk.verb {
        Verb::Delete { confirmation, .. } => Some(confirmation),
        _ => None,
    };
    let (store, published) = (&session.store, &session.published);
    let (selection, picked) = many.whom.read(session, &many.matching).await?;
    queue::check_selection(store, published, &selection).await?;
    queue::check_action(store, published, &action).await?;
    let at = session.clock.now();
    let mut count = None;
    if many.dry_run || confirmation.is_some() {
        count = Some(queue::count(store, published, &selection, &picked, at).await?);
    }
    if many.dry_run {
        let unknown = picked.failures.len() as u64;
        return say_count(
            &action,
            count.unwrap_or_default(),
            unknown,
            many.format.format,
        );
    }
    if let Some(confirmation) = confirmation {
        let count = counted(count.unwrap_or_default());
        let wish = format!("delete {count} customers with everything that is known of them");
        if !confirmation.is_given(&wish)? {
            return Ok(Exit::No);
        }
    }
    let by = many.actor.by(&session.settings, Source::CommandLine);
    let order = Order { selection, action };
    let number = queue(store, published, &order, &picked, (&by, at)).await?;
    if many.background {
        let job = job_follow::found(store, number).await?;
        job_follow::say(session, &job, many.format.format).await?;
        return Ok(Exit::Done);
    }
    let job = job_follow::follow(session, number).await?;
    job_follow::say(session, &job, many.format.format).await
}

impl Verb {
    fn order(&self, revision: &Revision) -> Result<(Action, &Many), Error> {
        let why = |reason: &Option<String>| {
            let reason = remark("reason", reason.as_deref())?;
            Ok::<_, Error>(reason.map(str::to_owned))
        };
        Ok(match self {
            Self::AddTags { tags, many } => (Action::AddTags(tags.clone()), many),
            Self::RemoveTags { tags, many } => (Action::RemoveTags(tags.clone()), many),
            Self::AddToList { to, many } => (Action::AddToList(to.clone()), many),
            Self::RemoveFromList { from, many } => (Action::RemoveFromList(from.clone()), many),
            Self::SetFields { fields, many } => {
                (Action::SetFields(written(fields, revision)), many)
            }
            Self::Suspend { reason, many } => (Action::Suspend(why(reason)?), many),
            Self::Reactivate { many } => (Action::Reactivate, many),
            Self::Discard { reason, many } => (Action::Discard(why(reason)?), many),
            Self::Delete { many, .. } => (Action::Delete, many),
            Self::Connect { flow, many } => (Action::Connect(flow.clone()), many),
            Self::Export {
                written,
                fields,
                many,
            } => {
                let action = Action::Export {
                    format: written.clone(),
                    fields: fields.clone(),
                };
                (action, many)
            }
        })
    }
}

/// Fields as programs write them: several values are a list.
fn written(fields: &[(String, String)], revision: &Revision) -> Map<String, Value> {
    let is_many = |name: &str| {
        let field = revision.data_model.field(name);
        field.is_some_and(|field| field.cardinality == Cardinality::Many)
    };
    let value = |(name, text): &(String, String)| {
        let value = if is_many(name) {
            let values = text.split(BETWEEN_VALUES).map(str::trim);
            json!(values.filter(|text| !text.is_empty()).collect::<Vec<_>>())
        } else {
            json!(text)
        };
        (name.clone(), value)
    };
    fields.iter().map(value).collect()
}

fn say_count(action: &Action, count: u64, unknown: u64, format: Format) -> anyhow::Result<Exit> {
    match format {
        Format::Json => output::json(&json!({
            "kind": action.kind(), "customers": count, "unknown": unknown,
        }))?,
        Format::Text => {
            let kind = action.kind().as_str();
            let mut text = format!("{kind} would look at {} customers", counted(count));
            if unknown > 0 {
                let _ = write!(text, "; {} are not there", counted(unknown));
            }
            output::facts(&(text + "\n"))?;
        }
    }
    Ok(Exit::Done)
}
