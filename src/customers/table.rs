//! Owns reading a table, whatever kind of file it is in: its columns, then its rows as a stream.

use std::path::Path;

use super::csv_table::CsvTable;
use super::delimiter::Delimiter;
use super::json_table::JsonTable;
use super::xlsx::sheet::SheetTable;

pub use super::table_error::TableError;
pub use super::table_form::{TableKind, TableOptions};
pub use super::table_row::{BETWEEN_LISTED, MAX_CELL_BYTES, MAX_COLUMNS, MAX_ROW_BYTES, Row};

/// An open table: its columns are known, its rows come one at a time.
pub struct Table {
    source: Source,
    columns: Vec<String>,
    /// Of the file, in bytes.
    size: u64,
}

enum Source {
    Csv(Box<CsvTable>),
    Xlsx(Box<SheetTable>),
    JsonLines(Box<JsonTable>),
}

impl Table {
    /// Opens a file and reads which columns it has.
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let metadata = std::fs::metadata(path).map_err(|error| TableError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        if !metadata.is_file() {
            return Err(TableError::NotAFile(path.to_owned()));
        }
        let source = match TableKind::of(path)? {
            // Who says what separates the cells says that it is CSV.
            TableKind::JsonLines if options.delimiter.is_some() => {
                Source::Csv(Box::new(CsvTable::open(path, options)?))
            }
            TableKind::Csv => Source::Csv(Box::new(CsvTable::open(path, options)?)),
            TableKind::Xlsx => Source::Xlsx(Box::new(SheetTable::open(path, options)?)),
            TableKind::JsonLines => Source::JsonLines(Box::new(JsonTable::open(path, options)?)),
        };
        let mut table = Self {
            source,
            columns: Vec::new(),
            size: metadata.len(),
        };
        table.columns = table.read_columns(path)?;
        Ok(table)
    }

    fn read_columns(&mut self, path: &Path) -> Result<Vec<String>, TableError> {
        if let Source::JsonLines(lines) = &self.source {
            return Ok(lines.columns().to_vec());
        }
        let mut header = Row::default();
        if !self.read(&mut header)? {
            return Err(TableError::Empty(path.to_owned()));
        }
        if header.len() > MAX_COLUMNS {
            return Err(TableError::TooManyColumns(header.len()));
        }
        if let Source::Xlsx(sheet) = &mut self.source {
            sheet.set_width(header.len());
        }
        Ok(header.cells().map(|cell| cell.trim().to_owned()).collect())
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub fn kind(&self) -> TableKind {
        match &self.source {
            Source::Csv(_) => TableKind::Csv,
            Source::Xlsx(_) => TableKind::Xlsx,
            Source::JsonLines(_) => TableKind::JsonLines,
        }
    }

    /// What stands between the cells of a CSV file.
    pub fn delimiter(&self) -> Option<Delimiter> {
        match &self.source {
            Source::Csv(csv) => Some(csv.delimiter),
            Source::Xlsx(_) | Source::JsonLines(_) => None,
        }
    }

    /// What stands between the values of one cell.
    pub fn between_values(&self) -> char {
        match &self.source {
            Source::Csv(csv) => csv.delimiter.between_values(),
            Source::Xlsx(_) => Delimiter::Comma.between_values(),
            Source::JsonLines(_) => BETWEEN_LISTED,
        }
    }

    /// The name of the encoding, such as `windows-1252`.
    pub fn encoding(&self) -> &'static str {
        match &self.source {
            Source::Csv(csv) => csv.encoding.name(),
            Source::Xlsx(_) => encoding_rs::UTF_8.name(),
            Source::JsonLines(lines) => lines.encoding.name(),
        }
    }

    /// The sheet that is read, if it is one of a workbook.
    pub fn sheet(&self) -> Option<&str> {
        match &self.source {
            Source::Xlsx(sheet) => Some(sheet.name()),
            Source::Csv(_) | Source::JsonLines(_) => None,
        }
    }

    /// All sheets of a workbook, in its order.
    pub fn sheets(&self) -> &[String] {
        match &self.source {
            Source::Xlsx(sheet) => sheet.all(),
            Source::Csv(_) | Source::JsonLines(_) => &[],
        }
    }

    /// How far reading has come, and the whole: in bytes.
    pub fn progress(&self) -> (u64, u64) {
        let (position, whole) = match &self.source {
            Source::Csv(csv) => (csv.position(), self.size),
            Source::Xlsx(sheet) => sheet.progress(),
            Source::JsonLines(lines) => (lines.position(), self.size),
        };
        (position.min(whole), whole)
    }

    /// Reads the next row that is not blank; `false` at the end.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, TableError> {
        loop {
            let more = match &mut self.source {
                Source::Csv(csv) => csv.read(row)?,
                Source::Xlsx(sheet) => sheet.read(row)?,
                Source::JsonLines(lines) => lines.read(row)?,
            };
            if !more || !row.is_blank() {
                return Ok(more);
            }
        }
    }
}
