//! Owns reading a table from a CSV file (RFC 4180, any encoding, four delimiters) as a stream of rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord, Terminator};
use encoding_rs::Encoding;

use super::delimiter::Delimiter;
use super::encoding;

pub const MAX_COLUMNS: usize = 2_000;
pub const MAX_CELL_BYTES: usize = 64 * 1024;
/// What one row may make the reader hold. A quotation mark that is never closed stops here.
const MAX_ROW_BYTES: usize = 1024 * 1024;
const SAMPLE_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: usize = 64 * 1024;

/// How a file is to be read; what is not said is detected.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub delimiter: Option<Delimiter>,
    pub encoding: Option<&'static Encoding>,
    /// Lines before the header row.
    pub skip_lines: u64,
}

/// Why a file cannot be read as a table, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("`{}` has no header row: its first row must name the columns", .0.display())]
    Empty(PathBuf),
    #[error("the header row has {0} columns: at most {MAX_COLUMNS} are read")]
    TooManyColumns(usize),
    #[error("line {line}: a row of more than 1 MiB begins here: is a quotation mark not closed?")]
    EndlessRow { line: u64 },
    #[error("line {line}: {error}")]
    Broken { line: u64, error: csv::Error },
}

/// An open table: its columns are known, its rows come one at a time.
pub struct Table {
    reader: csv::Reader<Rationed>,
    columns: Vec<String>,
    delimiter: Delimiter,
    encoding: &'static Encoding,
    /// Of the file, in bytes.
    size: u64,
    skipped_lines: u64,
}

/// One row; used again and again so that reading does not allocate.
#[derive(Debug, Default)]
pub struct Row {
    cells: StringRecord,
    /// The line in the file on which it begins, counted from 1.
    pub line: u64,
    /// Whether bytes in it are not text in the file's encoding.
    pub is_damaged: bool,
}

impl Row {
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The length of all cells together.
    pub fn bytes(&self) -> usize {
        self.cells.as_slice().len()
    }

    /// The cells, without the carriage return that ends a line in files from Windows.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells
            .iter()
            .map(|cell| cell.strip_suffix('\r').unwrap_or(cell))
    }

    fn is_blank(&self) -> bool {
        self.cells.as_slice().trim().is_empty()
    }
}

impl Table {
    /// Opens a file and reads its header row.
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let unreadable = |error| TableError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(TableError::NotAFile(path.to_owned()));
        }
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => detect_encoding(path).map_err(unreadable)?,
        };
        let open = || text_after(path, encoding, options.skip_lines).map_err(unreadable);
        let delimiter = match options.delimiter {
            Some(delimiter) => delimiter,
            None => Delimiter::detect(&sample(open()?).map_err(unreadable)?),
        };
        let mut table = Self {
            reader: reader(open()?, delimiter),
            columns: Vec::new(),
            delimiter,
            encoding,
            size: metadata.len(),
            skipped_lines: options.skip_lines,
        };
        table.read_columns(path)?;
        Ok(table)
    }

    fn read_columns(&mut self, path: &Path) -> Result<(), TableError> {
        let mut header = Row::default();
        if !self.read(&mut header)? {
            return Err(TableError::Empty(path.to_owned()));
        }
        if header.len() > MAX_COLUMNS {
            return Err(TableError::TooManyColumns(header.len()));
        }
        self.columns = header.cells().map(|cell| cell.trim().to_owned()).collect();
        Ok(())
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// The name of the encoding, such as `windows-1252`.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// How far reading has come, and the whole: in bytes.
    pub fn progress(&self) -> (u64, u64) {
        (self.reader.position().byte().min(self.size), self.size)
    }

    /// Reads the next row that is not blank; `false` at the end.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, TableError> {
        loop {
            if !self.read_any(row)? {
                return Ok(false);
            }
            if !row.is_blank() {
                return Ok(true);
            }
        }
    }

    fn read_any(&mut self, row: &mut Row) -> Result<bool, TableError> {
        self.reader.get_mut().renew();
        let begins = self.skipped_lines + self.reader.position().line();
        let mut bytes = std::mem::take(&mut row.cells).into_byte_record();
        let more = self
            .reader
            .read_byte_record(&mut bytes)
            .map_err(|error| explain(error, begins))?;
        // Every row ends with a line feed here, so the line it began on is counted back from its end.
        let inside = bytes.as_slice().iter().filter(|byte| **byte == b'\n');
        let ended_on = self.reader.position().line().saturating_sub(1);
        row.line = self.skipped_lines + ended_on.saturating_sub(inside.count() as u64);
        (row.cells, row.is_damaged) = text_of(bytes);
        Ok(more)
    }
}

fn explain(error: csv::Error, line: u64) -> TableError {
    match error.kind() {
        csv::ErrorKind::Io(io) if is_endless(io) => TableError::EndlessRow { line },
        _ => TableError::Broken { line, error },
    }
}

fn is_endless(error: &io::Error) -> bool {
    let cause = error.get_ref();
    cause.is_some_and(|cause| cause.downcast_ref::<RationSpent>().is_some())
}

fn text_of(bytes: ByteRecord) -> (StringRecord, bool) {
    match StringRecord::from_byte_record(bytes) {
        Ok(cells) => (cells, false),
        Err(error) => {
            let cells = StringRecord::from_byte_record_lossy(error.into_byte_record());
            (cells, true)
        }
    }
}

fn detect_encoding(path: &Path) -> io::Result<&'static Encoding> {
    encoding::detect(&mut File::open(path)?)
}

fn text_after(
    path: &Path,
    encoding: &'static Encoding,
    lines: u64,
) -> io::Result<impl Read + Send + use<>> {
    let decoded = encoding::decoded(File::open(path)?, encoding);
    let mut text = BufReader::with_capacity(BUFFER_BYTES, decoded);
    for _ in 0..lines {
        text.skip_until(b'\n')?;
    }
    Ok(text)
}

fn sample(text: impl Read) -> io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    text.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    if sample.len() as u64 == SAMPLE_BYTES {
        let whole_rows = sample.iter().rposition(|byte| *byte == b'\n');
        sample.truncate(whole_rows.unwrap_or(sample.len()));
    }
    Ok(sample)
}

fn reader(text: impl Read + Send + 'static, delimiter: Delimiter) -> csv::Reader<Rationed> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.as_byte())
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(Rationed::new(text.chain(&b"\n"[..])))
}

/// A text of which only so much may be read at a time, so that one endless row cannot fill the memory.
struct Rationed {
    text: Box<dyn Read + Send>,
    left: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
struct RationSpent;

impl Rationed {
    fn new(text: impl Read + Send + 'static) -> Self {
        Self {
            text: Box::new(text),
            left: MAX_ROW_BYTES,
        }
    }

    fn renew(&mut self) {
        self.left = MAX_ROW_BYTES;
    }
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(RationSpent));
        }
        let length = self.text.read(buffer)?;
        self.left = self.left.saturating_sub(length);
        Ok(length)
    }
}
