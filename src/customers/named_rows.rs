//! Owns reading a file whose columns have fixed names: some rows at a time, each cell by its name.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::error::Error;
use super::mapping::{MappingError, place_of, plain};
use super::names::UnknownName;
use super::reading::{Input, Rejecting, Seen, rejected};
use super::rejects::Rejects;
use super::table::{BETWEEN_LISTED, MAX_CELL_BYTES, Row, Table};
use crate::domain::import::RejectedRow;

/// Rows of one transaction: short enough for a daemon beside.
const BATCH_ROWS: usize = 500;

/// The columns that a kind of file has.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    pub all: &'static [&'static str],
    pub required: &'static [&'static str],
}

/// An opened file, with the place of each name among its columns.
pub struct NamedRows {
    table: Table,
    rejecting: Rejecting,
    /// Those that were not taken since they were last asked for, unless they went into a file.
    kept: Vec<RejectedRow>,
    places: Vec<(&'static str, usize)>,
    ignored: Vec<String>,
    seen: Seen,
}

impl NamedRows {
    /// Opens the file. Columns that `input.map` names fill what it says, the others their namesake.
    pub fn open(input: &Input, names: Names) -> Result<Self, Error> {
        let table = Table::open(&input.path, &input.table)?;
        let columns = table.columns();
        let places = places(columns, &input.map, names)?;
        let is_used = |column| places.iter().any(|(_, place)| *place == column);
        let ignored = (0..columns.len()).filter(|column| !is_used(*column));
        let ignored = ignored.map(|column| columns[column].clone()).collect();
        let wanted = input.rejects.as_deref();
        let rejects = Rejects::new(&input.path, wanted, &table)?;
        Ok(Self {
            table,
            rejecting: Rejecting::File(Arc::new(Mutex::new(rejects))),
            kept: Vec::new(),
            places,
            ignored,
            seen: Seen::default(),
        })
    }

    /// Goes on behind so many rows, and keeps the rows that are not taken.
    pub fn from(mut self, rows: u64) -> Result<Self, Error> {
        self.rejecting = Rejecting::Kept;
        let mut row = Row::default();
        while self.seen.rows < rows && self.table.read(&mut row)? {
            self.seen.rows += 1;
        }
        Ok(self)
    }

    /// The rows that were not taken since this was last asked.
    pub fn rejects(&mut self) -> Vec<RejectedRow> {
        std::mem::take(&mut self.kept)
    }

    pub fn columns(&self) -> &[String] {
        self.table.columns()
    }

    /// Columns that have no such name.
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    pub fn encoding(&self) -> &'static str {
        self.table.encoding()
    }

    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// The next rows; none at the end of the file.
    pub fn batch(&mut self) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        while rows.len() < BATCH_ROWS {
            let mut row = Row::default();
            if !self.table.read(&mut row)? {
                break;
            }
            rows.push(row);
        }
        self.seen.rows += rows.len() as u64;
        (self.seen.bytes, self.seen.total_bytes) = self.table.progress();
        Ok(rows)
    }

    /// A row's text under a name; nothing where it is blank or the file has no such column.
    pub fn cell<'a>(&self, row: &'a Row, name: &str) -> Option<&'a str> {
        let place = self.places.iter().find(|(known, _)| *known == name)?.1;
        let text = row.cells().nth(place)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Why a row cannot be read at all, whatever its cells mean.
    pub fn check(&self, row: &Row) -> Result<(), String> {
        let (cells, columns) = (row.len(), self.table.columns().len());
        if let Some(damage) = &row.damage {
            Err(damage.clone())
        } else if let Some(flaw) = self.flaw_of(row) {
            Err(flaw)
        } else if cells != columns {
            Err(format!(
                "the row has {cells} cells, and the header {columns} columns"
            ))
        } else if row.cells().any(|cell| cell.len() > MAX_CELL_BYTES) {
            Err(format!(
                "a cell holds more than {} KiB",
                MAX_CELL_BYTES / 1024
            ))
        } else if row.cells().any(|cell| cell.contains('\0')) {
            // Not every database can store one.
            Err("a cell holds the control character U+0000".to_owned())
        } else if row.cells().any(|cell| cell.contains(BETWEEN_LISTED)) {
            Err("a cell holds a list: expected one value".to_owned())
        } else {
            Ok(())
        }
    }

    /// The first of the columns with a name whose cell holds no value, and why.
    fn flaw_of(&self, row: &Row) -> Option<String> {
        let named = |flawed| self.places.iter().find(move |(_, place)| *place == flawed);
        row.flaws.iter().find_map(|(flawed, flaw)| {
            let (name, _) = named(*flawed)?;
            Some(format!("`{name}`: {flaw}"))
        })
    }

    pub fn reject(&mut self, row: &Row, reason: &str) -> Result<(), Error> {
        self.seen.rejected += 1;
        match &self.rejecting {
            Rejecting::Kept => {
                let named = self.places.first().map(|(_, place)| *place);
                let named: Vec<usize> = named.into_iter().collect();
                self.kept.push(rejected(row, &named, reason.to_owned()));
                Ok(())
            }
            file @ Rejecting::File(_) => file.write(row, reason),
        }
    }

    /// Finishes the rejects file and says where it is, if there is one.
    pub fn finish(self) -> Result<Option<PathBuf>, Error> {
        self.rejecting.finish()
    }
}

fn places(
    columns: &[String],
    map: &[(String, String)],
    names: Names,
) -> Result<Vec<(&'static str, usize)>, MappingError> {
    let mut places: Vec<(&'static str, usize)> = Vec::new();
    for (column, wanted) in map {
        let name = names.all.iter().find(|name| plain(name) == plain(wanted));
        let unknown = || UnknownName::new("field", wanted, names.all.iter().copied());
        places.push((name.ok_or_else(unknown)?, place_of(column, columns)?));
    }
    for name in names.all {
        let is_mapped = places.iter().any(|(mapped, _)| mapped == name);
        if !is_mapped && columns.iter().any(|column| plain(column) == plain(name)) {
            places.push((name, place_of(name, columns)?));
        }
    }
    refuse_contested(columns, &places)?;
    let is_there = |name: &&str| places.iter().any(|(there, _)| there == name);
    match names.required.iter().find(|name| !is_there(name)) {
        None => Ok(places),
        Some(name) => Err(MappingError::Missing {
            name,
            columns: columns.to_vec(),
        }),
    }
}

/// One name filled from two columns, or one column filling two names.
fn refuse_contested(
    columns: &[String],
    places: &[(&'static str, usize)],
) -> Result<(), MappingError> {
    for (n, (name, place)) in places.iter().enumerate() {
        for (other, taken) in &places[..n] {
            if taken == place {
                return Err(MappingError::Repeated(columns[*place].clone()));
            }
            if other == name {
                return Err(MappingError::Contested {
                    field: (*name).to_owned(),
                    first: columns[*taken].clone(),
                    second: columns[*place].clone(),
                });
            }
        }
    }
    Ok(())
}
