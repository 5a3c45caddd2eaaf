//! Owns `drumbeat customer task`.

use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::session::Session;
use super::{customer_work, output, words};
use crate::customers::facts::TaskFacts;
use crate::customers::tasks::{self, TaskEdit};
use crate::domain::audit::Source;
use crate::domain::task::{TaskPriority, TaskStatus, TaskText};

#[derive(Debug, clap::Args)]
pub(crate) struct Task {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Adds a task.
    Add(Add),
    /// The tasks on a customer: what is open first.
    List(List),
    /// Changes a task by its number; what is not given stays.
    Set(Set),
    /// Removes a task by its number.
    Remove(Remove),
}

/// What a task says beside its name.
#[derive(Debug, clap::Args)]
struct Text {
    #[arg(long)]
    description: Option<String>,
    /// `open`, `in-progress` or `done`.
    #[arg(long, value_parser = words::task_status)]
    status: Option<TaskStatus>,
    /// `low`, `normal` or `high`.
    #[arg(long, value_parser = words::task_priority)]
    priority: Option<TaskPriority>,
    /// Who is to do it.
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// Until which day, such as `2026-03-31`.
    #[arg(long, value_name = "DAY")]
    due: Option<Date>,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The customer's unique id.
    id: String,
    /// What is to be done.
    #[arg(value_name = "NAME")]
    task: String,
    #[command(flatten)]
    text: Text,
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
struct Set {
    /// The customer's unique id.
    id: String,
    /// The task's number.
    task: i64,
    #[arg(long = "name", value_name = "NAME")]
    renamed: Option<String>,
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The customer's unique id.
    id: String,
    /// The task's number.
    task: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(session: &Session, task: &Task) -> anyhow::Result<Exit> {
    match &task.verb {
        Verb::Add(verb) => add(session, verb).await,
        Verb::List(verb) => list(session, verb).await,
        Verb::Set(verb) => set(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
    }
}

async fn add(session: &Session, verb: &Add) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let text = TaskText {
        name: verb.task.clone(),
        description: verb.text.description.clone(),
        status: verb.text.status.unwrap_or_default(),
        priority: verb.text.priority.unwrap_or_default(),
        assignee: verb.text.assignee.clone(),
        due_on: verb.text.due,
    };
    let at = session.clock.now();
    let number = tasks::add(&session.store, &verb.id, &text, &by, at).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: task {number} added\n", verb.id))?,
        Format::Json => output::json(&json!({ "customer": verb.id, "task": number }))?,
    }
    Ok(Exit::Done)
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let found = tasks::list(&session.store, &verb.id).await?;
    match verb.format.format {
        Format::Text => output::facts(&customer_work::tasks(&found))?,
        Format::Json => {
            let found: Vec<_> = found.iter().map(TaskFacts::of).collect();
            output::json(&json!({ "tasks": found }))?;
        }
    }
    Ok(Exit::Done)
}

async fn set(session: &Session, verb: &Set) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let text = &verb.text;
    let edit = TaskEdit {
        name: verb.renamed.clone(),
        description: text.description.clone(),
        status: text.status,
        priority: text.priority,
        assignee: text.assignee.clone(),
        due_on: text.due,
    };
    let at = session.clock.now();
    let changed = tasks::edit(&session.store, &verb.id, verb.task, &edit, &by, at).await?;
    say(changed, &verb.id, verb.task, "changed", verb.format.format)
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let removed = tasks::remove(&session.store, &verb.id, verb.task, &by, at).await?;
    say(removed, &verb.id, verb.task, "removed", verb.format.format)
}

fn say(done: bool, id: &str, task: i64, what: &str, format: Format) -> anyhow::Result<Exit> {
    if !done {
        output::problem(&format!(
            "`{id}` has no task {task}: see `customer task list {id}`"
        ));
        return Ok(Exit::No);
    }
    match format {
        Format::Text => output::facts(&format!("{id}: task {task} {what}\n"))?,
        Format::Json => output::json(&json!({ "customer": id, "task": task, "done": what }))?,
    }
    Ok(Exit::Done)
}
