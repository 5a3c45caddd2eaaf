//! Owns the reading side of an import: rows are parsed and typed while the window before is written.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender};

use super::error::Error;
use super::leading::Leading;
use super::mapping::{Mapping, Target};
use super::rejects::Rejects;
use super::rows::{RowTyping, TypedRow};
use super::table::{Row, Table, TableOptions};
use super::window::{Gathered, Window};
use crate::domain::field::{DataModel, Field};
use crate::domain::import::{ImportPlace, RejectedRow, is_by_id};
use crate::domain::revision::Revision;
use crate::store::{Draft, Seal, Store};

/// What is read, and how.
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub path: PathBuf,
    pub table: TableOptions,
    /// Column and field; other columns are mapped by their own name.
    pub map: Vec<(String, String)>,
    /// Where rejected rows go; beside the input when nothing is said.
    pub rejects: Option<PathBuf>,
    /// The field by which rows find their customers; the unique id when nothing is said.
    pub key: Option<String>,
}

impl Input {
    /// By what rows find their customers, unless by the unique id.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref().filter(|key| !is_by_id(key))
    }
}

/// An opened input whose columns are mapped: nothing but its rows can still be wrong.
pub struct Reading {
    table: Table,
    typing: RowTyping,
    rejecting: Rejecting,
    mapping: Mapping,
    /// The columns that say whom a row is about, the best first.
    naming: Vec<usize>,
    /// By which rows are hashed, when somebody was ever deleted who may come back.
    seal: Option<Seal>,
    /// Whom ids lead to, where anybody asks.
    leading: Option<Leading>,
    place: ImportPlace,
    seen: Seen,
}

/// Where rows go that are not taken.
#[derive(Clone)]
pub enum Rejecting {
    /// Into a file, as they come.
    File(Arc<Mutex<Rejects>>),
    /// Along with the others of their window.
    Kept,
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub rows: u64,
    pub rejected: u64,
    /// Rows that a later row of the same customer took the place of.
    pub duplicates: u64,
    pub bytes: u64,
    pub total_bytes: u64,
}

/// Typed customers, ready to be written or to be found, and how far reading had come then.
pub struct Batch {
    pub customers: Gathered,
    /// Those that were not taken, unless they went into a file.
    pub rejects: Vec<RejectedRow>,
    /// Rows of the file that all of them were.
    pub read: u64,
    pub seen: Seen,
}

/// The reading side's ends: full batches go out, and emptied ones come back to be filled again, so
/// that no more memory is held than that of the batches there are.
pub struct Belt {
    pub batches: Sender<Batch>,
    pub drafts: Receiver<Draft>,
}

impl Rejecting {
    /// Writes a row down where there is a file for it.
    pub fn write(&self, row: &Row, reason: &str) -> Result<(), Error> {
        if let Self::File(file) = self {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.add(row, reason)?;
        }
        Ok(())
    }

    /// Finishes the file, and says where it is if there is one.
    pub fn finish(&self) -> Result<Option<PathBuf>, Error> {
        match self {
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(file.finish()?)
            }
            Self::Kept => Ok(None),
        }
    }
}

impl Reading {
    pub fn open(input: &Input, revision: &Revision) -> Result<Self, Error> {
        let table = Table::open(&input.path, &input.table)?;
        let model = &revision.data_model;
        let mapping = Mapping::keyed(table.columns(), &input.map, model, input.key())?;
        let wanted: Option<&Path> = input.rejects.as_deref();
        let rejects = Rejects::new(&input.path, wanted, &table)?;
        let key = input.key().and_then(|key| model.field(key));
        let typing = RowTyping::new(&mapping, revision, table.between_values());
        Ok(Self {
            typing: typing.keyed_by(key),
            rejecting: Rejecting::File(Arc::new(Mutex::new(rejects))),
            naming: naming(&mapping, model),
            table,
            mapping,
            seal: None,
            leading: None,
            place: ImportPlace::default(),
            seen: Seen::default(),
        })
    }

    /// Hashes what identifies the rows as it reads them.
    #[must_use]
    pub fn sealed_by(self, seal: Option<Seal>) -> Self {
        Self { seal, ..self }
    }

    /// Takes rows under the ids of those who became part of others for rows of these.
    #[must_use]
    pub fn following(self, store: &Store) -> Self {
        let leading = Some(Leading::of(store));
        Self { leading, ..self }
    }

    /// Goes on at a place of an import, and keeps the rows that are not taken.
    #[must_use]
    pub fn from(self, place: ImportPlace) -> Self {
        Self {
            place,
            rejecting: Rejecting::Kept,
            ..self
        }
    }

    /// Columns that fill no field.
    pub fn ignored_columns(&self) -> &[String] {
        &self.mapping.ignored
    }

    pub fn columns(&self) -> &[String] {
        self.table.columns()
    }

    pub fn encoding(&self) -> &'static str {
        self.table.encoding()
    }

    /// The field by which rows find their customers, unless it is the unique id.
    pub fn key(&self) -> Option<&Field> {
        self.typing.key()
    }

    pub fn rejecting(&self) -> Rejecting {
        self.rejecting.clone()
    }

    /// Says of rows that find nobody what the reading says of those that cannot be read.
    pub fn naming(&self) -> Vec<usize> {
        self.naming.clone()
    }

    /// An empty draft for the rows of this input.
    pub fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(self.typing.fields())?)
    }

    /// Reads to the end, or until nobody takes the batches any more. Blocks.
    pub fn run(mut self, mut belt: Belt) -> Result<Seen, Error> {
        let mut outcome = self.skip();
        let mut windows = self.place.windows;
        let mut rows = self.place.window;
        while let Ok(true) = outcome
            && let Some(draft) = belt.drafts.blocking_recv()
        {
            let mut window = Window::new(draft, windows).of(rows.take());
            windows += 1;
            outcome = self.fill(&mut window);
            match self.hand_over(window, &belt.batches) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => outcome = Err(error),
            }
        }
        outcome?;
        Ok(self.seen)
    }

    /// Passes the rows over that are done with; false when there are no others.
    fn skip(&mut self) -> Result<bool, Error> {
        let mut row = Row::default();
        for _ in 0..self.place.rows {
            if !self.table.read(&mut row)? {
                return Ok(false);
            }
            self.seen.rows += 1;
        }
        Ok(true)
    }

    /// Reads until the window is full; false when the input ends before.
    fn fill(&mut self, window: &mut Window) -> Result<bool, Error> {
        let mut row = Row::default();
        let mut typed = TypedRow::default();
        while !window.is_full() {
            if !self.table.read(&mut row)? {
                return Ok(false);
            }
            window.count();
            self.take(&row, &mut typed, window)?;
        }
        Ok(true)
    }

    fn take(&mut self, row: &Row, typed: &mut TypedRow, window: &mut Window) -> Result<(), Error> {
        self.seen.rows += 1;
        match self.typing.read(row, typed) {
            Ok(()) => match typed.key.take() {
                Some(key) => window.push_keyed(typed, &key, row)?,
                None => window.push(typed)?,
            },
            Err(reason) => {
                self.seen.rejected += 1;
                match &self.rejecting {
                    Rejecting::Kept => window.reject(rejected(row, &self.naming, reason)),
                    file @ Rejecting::File(_) => file.write(row, &reason)?,
                }
            }
        }
        Ok(())
    }

    /// False when nobody takes batches any more.
    fn hand_over(&mut self, mut window: Window, batches: &Sender<Batch>) -> Result<bool, Error> {
        if let Some(leading) = &self.leading {
            window.lead(leading)?;
        }
        let (rejects, read) = (window.rejects(), window.read());
        let customers = window.finish();
        if let Gathered::Sorted(sheet, duplicates) = &customers {
            if let Some(seal) = &self.seal {
                sheet.prepare(seal);
            }
            self.seen.duplicates += duplicates;
        }
        (self.seen.bytes, self.seen.total_bytes) = self.table.progress();
        let batch = Batch {
            customers,
            rejects,
            read,
            seen: self.seen,
        };
        Ok(batches.blocking_send(batch).is_ok())
    }
}

/// A row that is not taken, as it is kept.
pub fn rejected(row: &Row, naming: &[usize], reason: String) -> RejectedRow {
    let cell = |place: &usize| row.cells().nth(*place).map(str::trim);
    let who = naming.iter().filter_map(cell).find(|cell| !cell.is_empty());
    RejectedRow {
        line: row.line,
        who: who.map(str::to_owned),
        reason,
        cells: row.written().map(str::to_owned).collect(),
    }
}

fn naming(mapping: &Mapping, model: &DataModel) -> Vec<usize> {
    let names = |wanted: Option<&str>| {
        mapping.targets.iter().position(|target| match target {
            Target::Id => wanted.is_none(),
            Target::Field(place) => wanted == Some(&*model.fields[*place].identifier),
            Target::Ignored => false,
        })
    };
    let all = [None, Some("email"), Some("phone")];
    all.into_iter().filter_map(names).collect()
}
