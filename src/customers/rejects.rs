//! Owns the rejects file: the rows that were not taken, as they were, with their line and the reason.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::delimiter::Delimiter;
use super::table::Row;

/// Written with the first rejected row; without one no file is made.
///
/// The cells are what the input holds, so that the file can be corrected and imported again; the two
/// columns after them, `line` and `reason`, fill no field.
pub struct Rejects {
    path: PathBuf,
    header: Vec<String>,
    delimiter: Delimiter,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

/// Why rejected rows cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum RejectsError {
    #[error("cannot write rejected rows to `{}`: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("rejected rows would overwrite the input `{}`", .0.display())]
    IsTheInput(PathBuf),
}

impl Rejects {
    /// Beside the input as `NAME.rejects.csv` unless another place is wanted.
    pub fn new(
        input: &Path,
        wanted: Option<&Path>,
        columns: &[String],
        delimiter: Delimiter,
    ) -> Result<Self, RejectsError> {
        let path = wanted.map_or_else(|| input.with_extension("rejects.csv"), Path::to_path_buf);
        if same_file(&path, input) {
            return Err(RejectsError::IsTheInput(path));
        }
        let own = ["line", "reason"].map(str::to_owned);
        Ok(Self {
            path,
            header: columns.iter().cloned().chain(own).collect(),
            delimiter,
            writer: None,
        })
    }

    pub fn add(&mut self, row: &Row, reason: &str) -> Result<(), RejectsError> {
        let line = row.line.to_string();
        // A row of the wrong width keeps its cells; line and reason stay in their own columns.
        let width = self.header.len() - 2;
        let missing = width.saturating_sub(row.len());
        let cells = row
            .cells()
            .take(width)
            .chain(std::iter::repeat_n("", missing));
        let surplus = row.cells().skip(width);
        let record = cells.chain([line.as_str(), reason]).chain(surplus);
        self.write(record)
    }

    fn write<'a>(&mut self, record: impl Iterator<Item = &'a str>) -> Result<(), RejectsError> {
        let path = &self.path;
        let unwritable = |error| RejectsError::Unwritable {
            path: path.clone(),
            error,
        };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(start(path, &self.header, self.delimiter).map_err(unwritable)?),
        };
        writer
            .write_record(record)
            .map_err(|e| unwritable(e.into()))
    }

    /// Finishes the file and says where it is, if there is one.
    pub fn finish(self) -> Result<Option<PathBuf>, RejectsError> {
        let Some(mut writer) = self.writer else {
            return Ok(None);
        };
        match writer.flush() {
            Ok(()) => Ok(Some(self.path)),
            Err(error) => Err(RejectsError::Unwritable {
                path: self.path,
                error,
            }),
        }
    }
}

fn start(
    path: &Path,
    header: &[String],
    delimiter: Delimiter,
) -> io::Result<csv::Writer<BufWriter<File>>> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .delimiter(delimiter.as_byte())
        .from_writer(BufWriter::new(own_file(path)?));
    writer.write_record(header)?;
    Ok(writer)
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
