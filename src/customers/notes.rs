//! Owns the notes that people keep on customers.

use jiff::Timestamp;

use super::error::Error;
use super::profiles::id_of;
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

/// A text that people wrote: not blank, not too long, and without a character that not every database
/// can store.
pub(super) fn written<'a>(
    name: &'static str,
    text: &'a str,
    most: usize,
) -> Result<&'a str, Error> {
    let text = text.trim();
    let reason = if text.is_empty() {
        "is empty: write something".to_owned()
    } else if text.chars().nth(most).is_some() {
        format!("is longer than {most} characters")
    } else if text.contains('\0') {
        "holds a NUL character".to_owned()
    } else {
        return Ok(text);
    };
    Err(Error::BadText { name, reason })
}
