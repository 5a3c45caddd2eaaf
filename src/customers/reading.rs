//! Owns the reading side of an import: rows are parsed and typed while the window before is written.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::{Receiver, Sender};

use super::error::Error;
use super::mapping::Mapping;
use super::rejects::Rejects;
use super::rows::{RowTyping, TypedRow};
use super::table::{Row, Table, TableOptions};
use super::window::Window;
use crate::domain::revision::Revision;
use crate::store::{Draft, Seal, Sheet};

/// What is read, and how.
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub path: PathBuf,
    pub table: TableOptions,
    /// Column and field; other columns are mapped by their own name.
    pub map: Vec<(String, String)>,
    /// Where rejected rows go; beside the input when nothing is said.
    pub rejects: Option<PathBuf>,
}

/// An opened input whose columns are mapped: nothing but its rows can still be wrong.
pub struct Reading {
    table: Table,
    typing: RowTyping,
    rejects: Rejects,
    mapping: Mapping,
    /// By which rows are hashed, when somebody was ever deleted who may come back.
    seal: Option<Seal>,
    seen: Seen,
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

/// Typed customers, ready to be written, and how far reading had come then.
pub struct Batch {
    pub customers: Sheet,
    pub seen: Seen,
}

/// The reading side's ends: full batches go out, and emptied ones come back to be filled again, so
/// that no more memory is held than that of the batches there are.
pub struct Belt {
    pub batches: Sender<Batch>,
    pub drafts: Receiver<Draft>,
}

/// What a whole file gave.
pub struct Finished {
    pub seen: Seen,
    pub rejects_file: Option<PathBuf>,
}

impl Reading {
    pub fn open(input: &Input, revision: &Revision) -> Result<Self, Error> {
        let table = Table::open(&input.path, &input.table)?;
        let mapping = Mapping::new(table.columns(), &input.map, &revision.data_model)?;
        let wanted: Option<&Path> = input.rejects.as_deref();
        let rejects = Rejects::new(&input.path, wanted, &table)?;
        Ok(Self {
            typing: RowTyping::new(&mapping, revision, table.between_values()),
            table,
            rejects,
            mapping,
            seal: None,
            seen: Seen::default(),
        })
    }

    /// Hashes what identifies the rows as it reads them.
    #[must_use]
    pub fn sealed_by(self, seal: Option<Seal>) -> Self {
        Self { seal, ..self }
    }

    /// Columns that fill no field.
    pub fn ignored_columns(&self) -> &[String] {
        &self.mapping.ignored
    }

    pub fn encoding(&self) -> &'static str {
        self.table.encoding()
    }

    /// An empty draft for the rows of this input.
    pub fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(self.typing.fields())?)
    }

    /// Reads to the end, or until nobody takes the batches any more. Blocks.
    pub fn run(mut self, mut belt: Belt) -> Result<Finished, Error> {
        let mut outcome = Ok(true);
        let mut windows = 0;
        while let Ok(true) = outcome
            && let Some(draft) = belt.drafts.blocking_recv()
        {
            let mut window = Window::new(draft, windows);
            windows += 1;
            outcome = self.fill(&mut window);
            if !self.hand_over(window, &belt.batches) {
                break;
            }
        }
        let rejects_file = self.rejects.finish()?;
        outcome?;
        Ok(Finished {
            seen: self.seen,
            rejects_file,
        })
    }

    /// Reads until the window is full; false when the input ends before.
    fn fill(&mut self, window: &mut Window) -> Result<bool, Error> {
        let mut row = Row::default();
        let mut typed = TypedRow::default();
        while !window.is_full() {
            if !self.table.read(&mut row)? {
                return Ok(false);
            }
            self.take(&row, &mut typed, window)?;
        }
        Ok(true)
    }

    fn take(&mut self, row: &Row, typed: &mut TypedRow, window: &mut Window) -> Result<(), Error> {
        self.seen.rows += 1;
        match self.typing.read(row, typed) {
            Ok(()) => window.push(typed)?,
            Err(reason) => {
                self.seen.rejected += 1;
                self.rejects.add(row, &reason)?;
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, window: Window, batches: &Sender<Batch>) -> bool {
        let (customers, duplicates) = window.finish();
        if let Some(seal) = &self.seal {
            customers.prepare(seal);
        }
        self.seen.duplicates += duplicates;
        (self.seen.bytes, self.seen.total_bytes) = self.table.progress();
        let seen = self.seen;
        batches.blocking_send(Batch { customers, seen }).is_ok()
    }
}
