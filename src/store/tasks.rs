//! Owns the tasks that people keep on customers.

use jiff::Timestamp;
use serde_json::json;

use super::arg::Arg;
use super::bind::{Bind, Cell};
use super::changes;
use super::db::Store;
use super::error::Result;
use super::instants::{day, day_number, instant};
use super::interactions;
use super::rows;
use super::sequences;
use super::sql::{Query, Row, query};
use super::tx::{On, Tx};
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::task::{Task, TaskPriority, TaskStatus, TaskText};

const KEEP: &str = "SELECT count(*) FROM (SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket = $1 AND c.customer_id = $2@share) AS kept";
const SET: &str = "UPDATE tasks SET name = $4, description = $5, status = $6, priority = $7, \
     assignee = $8, due_on = $9, updated_at = $10, actor = $11 \
     WHERE bucket = $1 AND customer_id = $2 AND task = $3";
const OF: &str = "SELECT task, name, description, status, priority, assignee, due_on, created_at, \
     updated_at, actor FROM tasks WHERE bucket = $1 AND customer_id = $2 \
     ORDER BY status, priority DESC, task";
const REMOVE: &str = "DELETE FROM tasks WHERE bucket = $1 AND customer_id = $2 AND task = $3";
const COLUMNS: [(&str, &str); 12] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("task", "BIGINT"),
    ("name", "TEXT"),
    ("description", "TEXT"),
    ("status", "BIGINT"),
    ("priority", "BIGINT"),
    ("assignee", "TEXT"),
    ("due_on", "BIGINT"),
    ("created_at", "BIGINT"),
    ("updated_at", "BIGINT"),
    ("actor", "TEXT"),
];

pub(super) const STATEMENTS: &[&str] = &[KEEP, SET, OF, REMOVE];

impl Store {
    /// Adds a task and answers its number.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a customer who is not there.
    pub async fn add_task(
        &self,
        customer: CustomerId,
        text: &TaskText,
        by: &By,
        at: Timestamp,
    ) -> Result<i64> {
        let mut tx = self.begin().await?;
        let kept: i64 = key(query(KEEP), customer)
            .fetch_one(&mut tx)
            .await?
            .take()?;
        if kept == 0 {
            return Err(changes::unknown(customer));
        }
        let number = sequences::take(&mut tx, "task", 1).await?;
        let task = Task {
            number,
            text: text.clone(),
            created_at: at,
            updated_at: at,
            actor: by.actor.as_str().to_owned(),
        };
        rows::insert(&mut tx, "tasks", &COLUMNS, vec![cells(customer, task)]).await?;
        let line = line(customer, number, "added", by, at);
        interactions::insert(&mut tx, &[line]).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Says anew what a task says; false when there is none of this number.
    pub async fn set_task(
        &self,
        customer: CustomerId,
        number: i64,
        text: &TaskText,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let set = key(query(SET), customer)
            .bind(number)
            .bind(&text.name)
            .bind(&text.description)
            .bind(text.status.number())
            .bind(text.priority.number())
            .bind(&text.assignee)
            .bind(Arg::Int(text.due_on.map(day_number)))
            .bind(at.as_microsecond())
            .bind(by.actor.as_str())
            .execute(&mut tx)
            .await?;
        if set > 0 {
            let line = line(customer, number, text.status.as_str(), by, at);
            interactions::insert(&mut tx, &[line]).await?;
            tx.commit().await?;
        }
        Ok(set > 0)
    }

    /// The tasks on a customer: what is open first, the most important of it before others.
    pub async fn tasks_of(&self, customer: CustomerId) -> Result<Vec<Task>> {
        of(customer, self.read()).await
    }

    /// Removes a task; false when there is none of this number.
    pub async fn remove_task(
        &self,
        customer: CustomerId,
        number: i64,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let removed = key(query(REMOVE), customer)
            .bind(number)
            .execute(&mut tx)
            .await?;
        if removed > 0 {
            let line = line(customer, number, "removed", by, at);
            interactions::insert(&mut tx, &[line]).await?;
            tx.commit().await?;
        }
        Ok(removed > 0)
    }
}

/// Gives the tasks on one customer to another as well.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let tasks = of(from, &mut *tx).await?.into_iter();
    let rows = tasks.map(|task| cells(into, task)).collect();
    rows::insert(tx, "tasks", &COLUMNS, rows).await
}

fn key(query: Query<'_>, customer: CustomerId) -> Query<'_> {
    query.bind(i64::from(customer.bucket().0)).bind(customer.0)
}

fn cells(customer: CustomerId, task: Task) -> Vec<Cell> {
    let whole = |number: i64| Some(Bind::Int(number));
    vec![
        whole(i64::from(customer.bucket().0)),
        whole(customer.0),
        whole(task.number),
        Some(Bind::Text(task.text.name)),
        task.text.description.map(Bind::Text),
        whole(task.text.status.number()),
        whole(task.text.priority.number()),
        task.text.assignee.map(Bind::Text),
        task.text.due_on.map(|day| Bind::Int(day_number(day))),
        whole(task.created_at.as_microsecond()),
        whole(task.updated_at.as_microsecond()),
        Some(Bind::Text(task.actor)),
    ]
}

async fn of<'c>(customer: CustomerId, on: impl Into<On<'c>>) -> Result<Vec<Task>> {
    let rows = key(query(OF), customer).fetch_all(on).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Task> {
    let due_on: Option<i64> = row.try_get(6)?;
    Ok(Task {
        number: row.try_get(0)?,
        text: TaskText {
            name: row.try_get(1)?,
            description: row.try_get(2)?,
            status: TaskStatus::from_number(row.try_get(3)?),
            priority: TaskPriority::from_number(row.try_get(4)?),
            assignee: row.try_get(5)?,
            due_on: due_on.map(day).transpose()?,
        },
        created_at: instant(row.try_get(7)?)?,
        updated_at: instant(row.try_get(8)?)?,
        actor: row.try_get(9)?,
    })
}

/// The line says that there is a task and how far it is, and not what it says.
fn line(customer: CustomerId, number: i64, done: &str, by: &By, at: Timestamp) -> Interaction {
    let mut line = changes::line(customer, at, Kind::TaskChanged, by);
    if let Some(detail) = &mut line.detail {
        detail["task"] = json!(number);
        detail["done"] = json!(done);
    }
    line
}
