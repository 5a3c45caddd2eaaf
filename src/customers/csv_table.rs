//! Owns reading a table from a CSV file (RFC 4180, any encoding, four delimiters) as a stream of rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, StringRecord, Terminator};
use encoding_rs::Encoding;

use super::delimiter::Delimiter;
use super::encoding;
use super::ration::{Rationed, is_spent};
use super::table_error::TableError;
use super::table_form::TableOptions;
use super::table_row::{MAX_ROW_BYTES, Row};

const SAMPLE_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: usize = 64 * 1024;

type Text = Box<dyn Read + Send>;

/// An open CSV file; its first row is the header.
pub(super) struct CsvTable {
    reader: csv::Reader<Rationed<Text>>,
    pub(super) delimiter: Delimiter,
    pub(super) encoding: &'static Encoding,
    skipped_lines: u64,
}

impl CsvTable {
    pub(super) fn open(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let unreadable = |error| TableError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => detect_encoding(path).map_err(unreadable)?,
        };
        let open = || text_after(path, encoding, options.skip_lines).map_err(unreadable);
        let delimiter = match options.delimiter {
            Some(delimiter) => delimiter,
            None => Delimiter::detect(&sample(open()?).map_err(unreadable)?),
        };
        Ok(Self {
            reader: reader(open()?, delimiter),
            delimiter,
            encoding,
            skipped_lines: options.skip_lines,
        })
    }

    /// How far reading has come, in bytes of decoded text.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, TableError> {
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
        row.clear();
        row.is_guarded = true;
        row.line = self.skipped_lines + ended_on.saturating_sub(inside.count() as u64);
        let is_text;
        (row.cells, is_text) = text_of(bytes);
        row.damage = (!is_text).then(|| "the row holds bytes that are not text".to_owned());
        Ok(more)
    }
}

/// The text of a file behind some lines.
pub(super) fn text_after(
    path: &Path,
    encoding: &'static Encoding,
    lines: u64,
) -> io::Result<BufReader<Text>> {
    let decoded = encoding::decoded(File::open(path)?, encoding);
    let mut text = BufReader::with_capacity(BUFFER_BYTES, decoded);
    for _ in 0..lines {
        text.skip_until(b'\n')?;
    }
    Ok(text)
}

fn explain(error: csv::Error, line: u64) -> TableError {
    match error.kind() {
        csv::ErrorKind::Io(io) if is_spent(io) => TableError::EndlessRow { line },
        _ => TableError::Broken { line, error },
    }
}

/// The cells, and whether all of them are text.
fn text_of(bytes: ByteRecord) -> (StringRecord, bool) {
    match StringRecord::from_byte_record(bytes) {
        Ok(cells) => (cells, true),
        Err(error) => {
            let cells = StringRecord::from_byte_record_lossy(error.into_byte_record());
            (cells, false)
        }
    }
}

fn detect_encoding(path: &Path) -> io::Result<&'static Encoding> {
    encoding::detect(&mut File::open(path)?)
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

fn reader(text: impl Read + Send + 'static, delimiter: Delimiter) -> csv::Reader<Rationed<Text>> {
    let text: Text = Box::new(text.chain(&b"\n"[..]));
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.as_byte())
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(Rationed::new(text, MAX_ROW_BYTES))
}
