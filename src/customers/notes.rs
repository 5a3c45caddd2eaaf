//! Owns the notes that people keep on customers.

use jiff::Timestamp;

use super::error::Error;
use super::profiles::id_of;
use super::remarks::written;
use crate::domain::audit::By;
use crate::domain::note::Note;
use crate::store::Store;

/// The most characters of a note.
const LONGEST: usize = 10_000;

/// Adds a note and answers its number.
pub async fn add(
    store: &Store,
    customer: &str,
    body: &str,
    by: &By,
    at: Timestamp,
) -> Result<i64, Error> {
    let body = written("body", body, LONGEST)?;
    let id = id_of(store, customer).await?;
    Ok(store.add_note(id, body, by, at).await?)
}

/// The notes on a customer, the newest first.
pub async fn list(store: &Store, customer: &str) -> Result<Vec<Note>, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.notes_of(id).await?)
}

/// Removes a note; false when there is none of this number.
pub async fn remove(
    store: &Store,
    customer: &str,
    number: i64,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.remove_note(id, number, by, at).await?)
}
