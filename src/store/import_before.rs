//! Owns what customers were before an import changed them, and the numbers of those whom it made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bind::{Bind, Cell};
use super::customer_known::{ConsentChange, Known};
use super::customer_sheet::Sheet;
use super::dialect::{ids, listed, rows};
use super::error::{Error, Result};
use super::listing::{json, listed};
use super::sql::query;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::import::ImportNo;

const MADE: &str = "INSERT INTO import_ranges (import, first, count) VALUES ($1, $2, $3)";
const EARLIER: &str = concat!(
    listed!("b.customer_id, b.body"),
    ids!(),
    " AS k CROSS JOIN import_changes AS b WHERE b.bucket = k.bucket AND b.customer_id = k.id \
     AND b.import = $2"
);
const KEEP: &str = concat!(
    "INSERT INTO import_changes (bucket, import, customer_id, body) SELECT j.id >> 48, $2, j.id, j.body FROM ",
    rows!(id BIGINT 0, body TEXT 1),
    " AS j WHERE true ON CONFLICT (bucket, import, customer_id) DO UPDATE SET body = excluded.body"
);

pub(super) const STATEMENTS: &[&str] = &[MADE, EARLIER, KEEP];

/// What a batch brings beside its rows: a list that everybody is put on, and the import that is to be
/// taken back perhaps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Brought {
    pub(super) list: Option<NameNo>,
    pub(super) import: Option<ImportNo>,
}

/// What an import changed of one customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Before {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<Moved<Cell>>,
    /// Many-valued ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) several: Vec<Moved<Vec<Bind>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) consents: Vec<(Channel, i64, i64)>,
    /// Tags that were put on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<i32>,
    /// Lists that it was put on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lists: Vec<i32>,
}

/// A field that was one and became another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Moved<T> {
    pub(super) field: String,
    /// The column of the field then: it says of which type.
    pub(super) column: String,
    pub(super) was: T,
    pub(super) became: T,
}

impl Before {
    /// Adds what a row says anew of one-valued fields and consents.
    pub(super) fn add(&mut self, known: &Known, consents: &[ConsentChange], sheet: &Sheet) {
        let moved = known.moved(sheet);
        self.fields.extend(moved.map(|(column, was, became)| Moved {
            field: column.field.clone(),
            column: column.name.clone(),
            was: exact(was),
            became: exact(became),
        }));
        let consents = consents.iter();
        self.consents
            .extend(consents.map(|one| (one.channel, one.was.number(), one.is.number())));
    }

    /// What an earlier part of the same import left, and this after it.
    fn after(self, earlier: Self) -> Self {
        let mut consents = earlier.consents;
        for (channel, was, is) in self.consents {
            match consents.iter_mut().find(|(known, ..)| *known == channel) {
                Some(known) => known.2 = is,
                None => consents.push((channel, was, is)),
            }
        }
        let mut lists = earlier.lists;
        lists.extend(self.lists);
        let mut tags = earlier.tags;
        tags.extend(self.tags);
        Self {
            fields: over(earlier.fields, self.fields),
            several: over(earlier.several, self.several),
            consents,
            tags,
            lists,
        }
    }

    pub(super) fn read(body: &str) -> Result<Self> {
        serde_json::from_str(body)
            .map_err(|error| Error::Corrupt(format!("what an import changed: {error}")))
    }
}

fn over<T>(mut earlier: Vec<Moved<T>>, later: Vec<Moved<T>>) -> Vec<Moved<T>> {
    for moved in later {
        match earlier.iter_mut().find(|one| one.column == moved.column) {
            Some(known) => known.became = moved.became,
            None => earlier.push(moved),
        }
    }
    earlier
}

/// A floating number is written as a text that reads back as exactly that number.
pub(super) fn exact(cell: Cell) -> Cell {
    match cell {
        Some(Bind::Real(number)) => Some(Bind::Text(format!("{number:?}"))),
        other => other,
    }
}

/// Writes down from which numbers an import took those of the customers it made.
pub(super) async fn note_made(
    tx: &mut Tx,
    import: ImportNo,
    first: i64,
    count: usize,
) -> Result<()> {
    query(MADE)
        .bind(import.0)
        .bind(first)
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes down what customers were before.
pub(super) async fn keep(
    tx: &mut Tx,
    import: ImportNo,
    mut changed: BTreeMap<CustomerId, Before>,
) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = changed.keys().map(|id| id.0).collect();
    let asked = query(EARLIER).bind(json(&ids)).bind(import.0);
    let earlier: Vec<(i64, String)> = listed(asked, &mut *tx).await?;
    for (id, body) in earlier {
        let earlier = Before::read(&body)?;
        if let Some(known) = changed.get_mut(&CustomerId(id)) {
            *known = std::mem::take(known).after(earlier);
        }
    }
    let rows: Vec<(i64, String)> = changed
        .iter()
        .map(|(id, before)| (id.0, json(before)))
        .collect();
    let keep = query(KEEP).bind(json(&rows)).bind(import.0);
    keep.execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(field: &str, was: i64, became: i64) -> Moved<Cell> {
        Moved {
            field: field.to_owned(),
            column: format!("fi_{field}"),
            was: Some(Bind::Int(was)),
            became: Some(Bind::Int(became)),
        }
    }

    #[test]
    fn of_two_parts_of_an_import_the_first_says_what_was() {
        let earlier = Before {
            fields: vec![moved("age", 1, 2)],
            tags: vec![7],
            ..Before::default()
        };
        let later = Before {
            fields: vec![moved("age", 2, 3), moved("size", 4, 5)],
            ..Before::default()
        };
        let both = later.after(earlier);
        assert_eq!(both.fields, [moved("age", 1, 3), moved("size", 4, 5)]);
        assert_eq!(both.tags, [7]);
    }

    #[test]
    fn a_floating_number_reads_back_exactly() {
        let number = 0.1 + 0.2;
        let before = Before {
            fields: vec![Moved {
                was: exact(Some(Bind::Real(number))),
                ..moved("x", 0, 0)
            }],
            ..Before::default()
        };
        let read = Before::read(&json(&before)).unwrap();
        assert_eq!(read, before);
        assert_eq!(read.fields[0].was, Some(Bind::Text(number.to_string())));
    }
}
