//! Owns how far a copy got, written down in the copy itself with every batch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::db::Store;
use super::super::error::{Error, Result};
use super::super::identity::TAG;
use super::super::meta;
use super::super::sql::query;
use super::super::tx::Tx;
use super::cell::Cell;

const KEY: &str = "copy";
/// The rows of `meta` that are part of the store.
pub(super) const NOT_OURS: &str = "key <> 'copy'";
const SET: &str = "INSERT INTO meta (key, value) VALUES ('copy', $1) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM meta WHERE key = 'copy'";

/// What was copied so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) source: Source,
    pub(super) tables: BTreeMap<String, Reached>,
}

/// The store that is copied.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) place: String,
    /// Which store it is, wherever it lies; one that nobody worked with has none.
    tag: Option<u64>,
}

/// How far one table got.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Reached {
    /// The key of the last row that was copied.
    last: Vec<Key>,
    pub(super) rows: u64,
    pub(super) is_whole: bool,
}

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Whole(i64),
    Text(String),
}

impl Source {
    pub(super) async fn of(store: &Store) -> Result<Self> {
        let tag = store.get_meta(TAG).await?;
        Ok(Self {
            place: store.place(),
            tag,
        })
    }

    /// Whether it is the same store.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.tag == other.tag && (self.tag.is_some() || self.place == other.place)
    }
}

impl Reached {
    /// Where to go on; none: at the beginning.
    pub(super) fn last(&self) -> Option<Vec<Cell>> {
        let cell = |key: &Key| match key {
            Key::Whole(number) => Cell::Whole(*number),
            Key::Text(text) => Cell::Text(text.clone()),
        };
        (!self.last.is_empty()).then(|| self.last.iter().map(cell).collect())
    }

    pub(super) fn move_on(&mut self, rows: usize, last: &[Cell]) {
        let key = |cell: &Cell| match cell {
            Cell::Whole(number) => Some(Key::Whole(*number)),
            Cell::Text(text) => Some(Key::Text(text.clone())),
            Cell::Null | Cell::Real(_) | Cell::Bytes(_) => None,
        };
        self.rows += rows as u64;
        self.last = last.iter().filter_map(key).collect();
    }
}

impl Progress {
    pub(super) fn begun(source: Source) -> Self {
        let tables = BTreeMap::new();
        Self { source, tables }
    }

    pub(super) async fn of(store: &Store) -> Result<Option<Self>> {
        store.get_meta(KEY).await
    }

    pub(super) async fn save(&self, tx: &mut Tx) -> Result<()> {
        let text = meta::written(KEY, self)?;
        query(SET).bind(text).execute(tx).await?;
        Ok(())
    }

    pub(super) async fn remove(tx: &mut Tx) -> Result<()> {
        query(REMOVE).execute(tx).await?;
        Ok(())
    }
}

impl Store {
    /// The store that this one is an unfinished copy of, if it is one.
    pub async fn half_a_copy_of(&self) -> Result<Option<String>> {
        Ok(Progress::of(self)
            .await?
            .map(|progress| progress.source.place))
    }

    /// Nothing may run on half of a store.
    pub(in super::super) async fn refuse_half_a_copy(&self) -> Result<()> {
        match self.half_a_copy_of().await? {
            None => Ok(()),
            Some(source) => Err(Error::Unusable(format!(
                "this is an unfinished copy of {source}: finish it with `drumbeat db copy`, or begin \
                 again with an empty database"
            ))),
        }
    }
}
