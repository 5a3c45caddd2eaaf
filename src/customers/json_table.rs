//! Owns reading a table from a JSON Lines file: its columns are all keys that its lines have.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8};

use super::csv_table::text_after;
use super::json_lines::{Line, cell, object, read_line};
use super::table_error::TableError;
use super::table_form::TableOptions;
use super::table_row::{MAX_COLUMNS, MAX_ROW_BYTES, Row};

type Text = BufReader<Box<dyn Read + Send>>;

/// An open JSON Lines file. A key that a line lacks says nothing; `null` is an empty cell.
pub(super) struct JsonTable {
    path: PathBuf,
    text: Text,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    pub(super) encoding: &'static Encoding,
    line: u64,
    position: u64,
    buffer: Vec<u8>,
    /// Of the line at hand, one for each column.
    cells: Vec<Option<String>>,
}

impl JsonTable {
    /// Opens a file and goes through it once, for its keys: they may first come late.
    pub(super) fn open(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        // RFC 8259, 8.1: JSON is UTF-8 unless both sides know better.
        let encoding = options.encoding.unwrap_or(UTF_8);
        let open = || {
            let text = text_after(path, encoding, options.skip_lines);
            text.map_err(|error| unreadable(path, error))
        };
        let mut table = Self {
            path: path.to_owned(),
            text: open()?,
            columns: Vec::new(),
            places: HashMap::new(),
            encoding,
            line: options.skip_lines,
            position: 0,
            buffer: Vec::new(),
            cells: Vec::new(),
        };
        table.gather_columns()?;
        if table.columns.is_empty() {
            return Err(TableError::Empty(path.to_owned()));
        }
        (table.text, table.line, table.position) = (open()?, options.skip_lines, 0);
        Ok(table)
    }

    fn gather_columns(&mut self) -> Result<(), TableError> {
        loop {
            match self.next_line()? {
                Line::End => return Ok(()),
                Line::TooLong => continue,
                Line::Whole => {}
            }
            let Ok(object) = object(&self.buffer) else {
                continue;
            };
            for (name, _) in &object.0 {
                if !self.places.contains_key(&**name) {
                    self.places.insert(name.to_string(), self.columns.len());
                    self.columns.push(name.to_string());
                }
            }
            if self.columns.len() > MAX_COLUMNS {
                return Err(TableError::TooManyColumns(self.columns.len()));
            }
        }
    }

    fn next_line(&mut self) -> Result<Line, TableError> {
        let (line, bytes) = read_line(&mut self.text, &mut self.buffer)
            .map_err(|error| unreadable(&self.path, error))?;
        self.line += 1;
        self.position += bytes;
        Ok(line)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How far reading has come, in bytes of decoded text.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next line; one that is no object is a damaged row with the line as its only cell.
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, TableError> {
        row.clear();
        let line = self.next_line()?;
        row.line = self.line;
        match line {
            Line::End => return Ok(false),
            Line::TooLong => {
                let most = MAX_ROW_BYTES / 1024 / 1024;
                row.damage = Some(format!("the line is longer than {most} MiB"));
            }
            // A blank line is no row.
            Line::Whole if self.buffer.trim_ascii().is_empty() => {}
            Line::Whole => self.fill(row),
        }
        Ok(true)
    }

    fn fill(&mut self, row: &mut Row) {
        let object = match object(&self.buffer) {
            Ok(object) => object,
            Err(damage) => {
                row.damage = Some(damage);
                row.cells.push_field(&String::from_utf8_lossy(&self.buffer));
                return;
            }
        };
        self.cells.clear();
        self.cells.resize(self.columns.len(), None);
        for (name, value) in object.0 {
            let Some(place) = self.places.get(&*name).copied() else {
                row.damage = Some(format!("the key `{name}` came while the file was read"));
                continue;
            };
            self.cells[place] = Some(match cell(value) {
                Ok(cell) => cell.into_owned(),
                Err(flaw) => {
                    row.flaws.push((place, flaw));
                    value.get().to_owned()
                }
            });
        }
        for (place, cell) in self.cells.iter().enumerate() {
            if cell.is_none() {
                row.absent.push(place);
            }
            row.cells.push_field(cell.as_deref().unwrap_or_default());
        }
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> TableError {
    TableError::Unreadable {
        path: path.to_owned(),
        error,
    }
}
