//! Owns the rejects file: the rows that were not taken, as they were, with their line and the reason.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::delimiter::Delimiter;
use super::formula::guarded;
use super::table::{BETWEEN_LISTED, Row, Table, TableKind};

/// Written with the first rejected row; without one no file is made.
///
/// The cells are what the input holds, so that the file can be corrected and imported again: of JSON
/// Lines as JSON Lines, of CSV and workbooks as CSV. What comes after them, `line` and `reason`, fills
/// no field.
pub struct Rejects {
    path: PathBuf,
    columns: Vec<String>,
    form: Form,
    writer: Option<Writer>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv(Delimiter),
    /// A workbook says what is a text, CSV does not.
    GuardedCsv,
    JsonLines,
}

enum Writer {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    JsonLines(BufWriter<File>),
}

/// Why rejected rows cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum RejectsError {
    #[error("cannot write rejected rows to `{}`: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("rejected rows would overwrite the input `{}`", .0.display())]
    IsTheInput(PathBuf),
}

impl Form {
    fn of(table: &Table) -> Self {
        match (table.kind(), table.delimiter()) {
            (TableKind::JsonLines, _) => Self::JsonLines,
            (TableKind::Xlsx, _) | (TableKind::Csv, None) => Self::GuardedCsv,
            (TableKind::Csv, Some(delimiter)) => Self::Csv(delimiter),
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv(_) | Self::GuardedCsv => "rejects.csv",
            Self::JsonLines => "rejects.jsonl",
        }
    }
}

impl Rejects {
    /// Beside the input as `NAME.rejects.csv` (or `.jsonl`) unless another place is wanted.
    pub fn new(input: &Path, wanted: Option<&Path>, table: &Table) -> Result<Self, RejectsError> {
        let form = Form::of(table);
        let beside = || input.with_extension(form.ending());
        let path = wanted.map_or_else(beside, Path::to_path_buf);
        if same_file(&path, input) {
            return Err(RejectsError::IsTheInput(path));
        }
        Ok(Self {
            path,
            columns: table.columns().to_vec(),
            form,
            writer: None,
        })
    }

    pub fn add(&mut self, row: &Row, reason: &str) -> Result<(), RejectsError> {
        let added = match self.form {
            Form::Csv(delimiter) => self.add_csv(row, reason, delimiter, false),
            Form::GuardedCsv => self.add_csv(row, reason, Delimiter::Comma, true),
            Form::JsonLines => self.add_json(row, reason),
        };
        added.map_err(|error| RejectsError::Unwritable {
            path: self.path.clone(),
            error,
        })
    }

    fn add_csv(
        &mut self,
        row: &Row,
        reason: &str,
        delimiter: Delimiter,
        guards: bool,
    ) -> io::Result<()> {
        let line = row.line.to_string();
        // A row of the wrong width keeps its cells; line and reason stay in their own columns.
        let width = self.columns.len();
        let cells = row.written().map(|cell| {
            if guards {
                guarded(cell).into_owned()
            } else {
                cell.to_owned()
            }
        });
        let mut record: Vec<String> = cells.collect();
        let surplus = record.split_off(width.min(record.len()));
        record.resize(width, String::new());
        record.extend([line, reason.to_owned()]);
        record.extend(surplus);
        if self.writer.is_none() {
            let header = self.columns.iter().map(String::as_str);
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .delimiter(delimiter.as_byte())
                .from_writer(BufWriter::new(own_file(&self.path)?));
            writer.write_record(header.chain(["line", "reason"]))?;
            self.writer = Some(Writer::Csv(Box::new(writer)));
        }
        match &mut self.writer {
            Some(Writer::Csv(writer)) => Ok(writer.write_record(record)?),
            _ => Ok(()),
        }
    }

    fn add_json(&mut self, row: &Row, reason: &str) -> io::Result<()> {
        if self.writer.is_none() {
            let writer = BufWriter::new(own_file(&self.path)?);
            self.writer = Some(Writer::JsonLines(writer));
        }
        let mut object = Map::new();
        if row.len() == self.columns.len() {
            for (place, (column, cell)) in self.columns.iter().zip(row.written()).enumerate() {
                if !row.absent.contains(&place) {
                    object.insert(column.clone(), json_of(cell));
                }
            }
        } else {
            // A line that is no object.
            let text: String = row.written().collect();
            object.insert("text".to_owned(), json!(text));
        }
        object.insert("line".to_owned(), json!(row.line));
        object.insert("reason".to_owned(), json!(reason));
        match &mut self.writer {
            Some(Writer::JsonLines(writer)) => writeln!(writer, "{}", Json::Object(object)),
            _ => Ok(()),
        }
    }

    /// Finishes the file and says where it is, if there is one.
    pub fn finish(&mut self) -> Result<Option<PathBuf>, RejectsError> {
        let flushed = match self.writer.take() {
            None => return Ok(None),
            Some(Writer::Csv(mut writer)) => writer.flush(),
            Some(Writer::JsonLines(mut writer)) => writer.flush(),
        };
        match flushed {
            Ok(()) => Ok(Some(self.path.clone())),
            Err(error) => Err(RejectsError::Unwritable {
                path: self.path.clone(),
                error,
            }),
        }
    }
}

fn json_of(cell: &str) -> Json {
    match cell {
        "" => Json::Null,
        _ if cell.contains(BETWEEN_LISTED) => cell.split(BETWEEN_LISTED).collect(),
        _ => json!(cell),
    }
}

/// Rejected rows hold people's data: the file is the owner's alone.
#[cfg(unix)]
fn own_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}

#[cfg(not(unix))]
fn own_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).open(path)
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
