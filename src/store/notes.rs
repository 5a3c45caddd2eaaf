//! Owns the notes that people keep on customers.

use jiff::Timestamp;
use serde_json::json;

use super::bind::Bind;
use super::changes;
use super::db::Store;
use super::error::Result;
use super::instants::instant;
use super::interactions;
use super::rows;
use super::sequences;
use super::sql::{Row, query};
use super::tx::{On, Tx};
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::note::Note;

/// On somebody who is there, and is not deleted meanwhile.
const ADD: &str = "INSERT INTO notes (bucket, customer_id, note, at, actor, body) \
     SELECT c.bucket, c.customer_id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT), \
     CAST($6 AS TEXT) FROM customers AS c WHERE c.bucket = $1 AND c.customer_id = $2@share";
const OF: &str = "SELECT note, at, actor, body FROM notes \
     WHERE bucket = $1 AND customer_id = $2 ORDER BY at DESC, note DESC";
const REMOVE: &str = "DELETE FROM notes WHERE bucket = $1 AND customer_id = $2 AND note = $3";
const COLUMNS: [(&str, &str); 6] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("note", "BIGINT"),
    ("at", "BIGINT"),
    ("actor", "TEXT"),
    ("body", "TEXT"),
];

pub(super) const STATEMENTS: &[&str] = &[ADD, OF, REMOVE];

impl Store {
    /// Adds a note and answers its number.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a customer who is not there.
    pub async fn add_note(
        &self,
        customer: CustomerId,
        body: &str,
        by: &By,
        at: Timestamp,
    ) -> Result<i64> {
        let mut tx = self.begin().await?;
        let number = sequences::take(&mut tx, "note", 1).await?;
        let added = query(ADD)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .bind(number)
            .bind(at.as_microsecond())
            .bind(by.actor.as_str())
            .bind(body)
            .execute(&mut tx)
            .await?;
        if added == 0 {
            return Err(changes::unknown(customer));
        }
        interactions::insert(&mut tx, &[line(customer, number, "added", by, at)]).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// The notes on a customer, the newest first.
    pub async fn notes_of(&self, customer: CustomerId) -> Result<Vec<Note>> {
        of(customer, self.read()).await
    }

    /// Removes a note; false when there is none of this number.
    pub async fn remove_note(
        &self,
        customer: CustomerId,
        number: i64,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let removed = query(REMOVE)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .bind(number)
            .execute(&mut tx)
            .await?;
        if removed > 0 {
            interactions::insert(&mut tx, &[line(customer, number, "removed", by, at)]).await?;
            tx.commit().await?;
        }
        Ok(removed > 0)
    }
}

/// Gives the notes on one customer to another as well.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let notes = of(from, &mut *tx).await?.into_iter();
    let cells = notes.map(|note| {
        let numbers = [
            i64::from(into.bucket().0),
            into.0,
            note.number,
            note.at.as_microsecond(),
        ];
        let texts = [note.actor, note.body].map(Bind::Text);
        let numbers = numbers.map(Bind::Int).into_iter();
        numbers.chain(texts).map(Some).collect()
    });
    rows::insert(tx, "notes", &COLUMNS, cells.collect()).await
}

async fn of<'c>(customer: CustomerId, on: impl Into<On<'c>>) -> Result<Vec<Note>> {
    let rows = query(OF)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .fetch_all(on)
        .await?;
    let read = |row: &Row| {
        Ok(Note {
            number: row.try_get(0)?,
            at: instant(row.try_get(1)?)?,
            actor: row.try_get(2)?,
            body: row.try_get(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The line says that there is a note, and not what it says.
fn line(customer: CustomerId, number: i64, done: &str, by: &By, at: Timestamp) -> Interaction {
    let mut line = changes::line(customer, at, Kind::Noted, by);
    if let Some(detail) = &mut line.detail {
        detail["note"] = json!(number);
        detail["done"] = json!(done);
    }
    line
}
