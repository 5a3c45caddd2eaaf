//! Owns the tasks that people keep on customers.

use jiff::Timestamp;
use jiff::civil::Date;

use super::error::Error;
use super::profiles::id_of;
use super::remarks::written;
use crate::domain::audit::By;
use crate::domain::task::{Task, TaskPriority, TaskStatus, TaskText};
use crate::store::Store;

const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 10_000;

/// What of a task is changed; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub status: Option<TaskStatus>,
    pub priority: Option<TaskPriority>,
    pub assignee: Option<String>,
    pub due_on: Option<Date>,
}

/// Adds a task and answers its number.
pub async fn add(
    store: &Store,
    customer: &str,
    text: &TaskText,
    by: &By,
    at: Timestamp,
) -> Result<i64, Error> {
    let text = checked(text.clone())?;
    let id = id_of(store, customer).await?;
    Ok(store.add_task(id, &text, by, at).await?)
}

/// The tasks on a customer: what is open first, the most important of it before others.
pub async fn list(store: &Store, customer: &str) -> Result<Vec<Task>, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.tasks_of(id).await?)
}

/// Changes a task; false when there is none of this number.
pub async fn edit(
    store: &Store,
    customer: &str,
    number: i64,
    edit: &TaskEdit,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    let tasks = store.tasks_of(id).await?;
    let Some(task) = tasks.into_iter().find(|task| task.number == number) else {
        return Ok(false);
    };
    let text = checked(edited(task.text, edit))?;
    Ok(store.set_task(id, number, &text, by, at).await?)
}

/// Removes a task; false when there is none of this number.
pub async fn remove(
    store: &Store,
    customer: &str,
    number: i64,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.remove_task(id, number, by, at).await?)
}

fn edited(text: TaskText, edit: &TaskEdit) -> TaskText {
    TaskText {
        name: edit.name.clone().unwrap_or(text.name),
        description: edit.description.clone().or(text.description),
        status: edit.status.unwrap_or(text.status),
        priority: edit.priority.unwrap_or(text.priority),
        assignee: edit.assignee.clone().or(text.assignee),
        due_on: edit.due_on.or(text.due_on),
    }
}

/// Blank texts say nothing, apart from the name, which has to say something.
fn checked(text: TaskText) -> Result<TaskText, Error> {
    let said = |what: &'static str, text: Option<String>, most: usize| {
        let text = text.filter(|text| !text.trim().is_empty());
        let text = text.map(|text| written(what, &text, most).map(str::to_owned));
        text.transpose()
    };
    Ok(TaskText {
        name: written("name", &text.name, LONGEST_NAME)?.to_owned(),
        description: said("description", text.description, LONGEST_DESCRIPTION)?,
        assignee: said("assignee", text.assignee, LONGEST_NAME)?,
        ..text
    })
}
