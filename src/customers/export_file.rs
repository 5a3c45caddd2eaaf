//! Owns the file of an export: written beside its place under a name of its own, and moved there when
//! it is whole.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use tempfile::NamedTempFile;

use super::export_columns::Cells;
use super::export_sheet::{SheetError, SheetWriter};
use super::formula::guarded;
use crate::domain::customer::FieldValue;
use crate::domain::value::Value;

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180 with commas; texts that look like formulas have an apostrophe before them.
    Csv,
    Xlsx,
    /// One object a line; an empty field is `null`, several values are a list.
    JsonLines,
}

/// Where an export goes.
pub enum ExportTarget {
    /// A file, which may take the place of another one only when that is said.
    File {
        path: PathBuf,
        replaces: bool,
    },
    Stream(Box<dyn Write + Send>),
}

/// Why an export cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot write `{}`: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("`{}` exists already: name another file, or allow replacing it", .0.display())]
    Exists(PathBuf),
    #[error("cannot write the export: {0}")]
    Broken(#[from] io::Error),
    #[error("cannot write the export: {0}; export as CSV or JSON Lines")]
    Sheet(#[from] SheetError),
    #[error("the export was interrupted after {written} customers")]
    Interrupted { written: u64 },
}

impl ExportFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::JsonLines => "jsonl",
        }
    }
}

/// An export on its way. Dropped before it is finished, it leaves nothing in its place.
pub(super) struct ExportFile {
    names: Vec<String>,
    writer: Writer,
}

enum Writer {
    Csv(Box<csv::Writer<BufWriter<Out>>>),
    JsonLines(BufWriter<Out>),
    Xlsx(Box<SheetWriter>, BufWriter<Out>),
}

/// Where the bytes go meanwhile.
enum Out {
    File {
        file: NamedTempFile,
        path: PathBuf,
        replaces: bool,
    },
    Stream(Box<dyn Write + Send>),
}

impl ExportFile {
    pub(super) fn create(
        target: ExportTarget,
        format: ExportFormat,
        names: Vec<String>,
    ) -> Result<Self, ExportError> {
        let (out, folder) = Out::begin(target)?;
        let out = BufWriter::new(out);
        let writer = match format {
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(&names).map_err(io::Error::from)?;
                Writer::Csv(Box::new(writer))
            }
            ExportFormat::JsonLines => Writer::JsonLines(out),
            ExportFormat::Xlsx => {
                let sheet = SheetWriter::new(names.clone(), &folder)?;
                Writer::Xlsx(Box::new(sheet), out)
            }
        };
        Ok(Self { names, writer })
    }

    /// Writes some customers. Blocks.
    pub(super) fn write(&mut self, customers: &[Cells]) -> Result<(), ExportError> {
        for cells in customers {
            match &mut self.writer {
                Writer::Csv(writer) => {
                    let record = cells.iter().map(|cell| csv_cell(cell.as_ref()));
                    writer.write_record(record).map_err(io::Error::from)?;
                }
                Writer::JsonLines(writer) => {
                    let cells = self
                        .names
                        .iter()
                        .cloned()
                        .zip(cells.iter().map(|cell| json_cell(cell.as_ref())));
                    let object: Map<String, Json> = cells.collect();
                    writeln!(writer, "{}", Json::Object(object))?;
                }
                Writer::Xlsx(sheet, _) => sheet.write(cells)?,
            }
        }
        Ok(())
    }

    /// Writes what is left, and puts the file in its place. Blocks.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        let out = match self.writer {
            Writer::Csv(writer) => writer.into_inner().map_err(csv::IntoInnerError::into_error),
            Writer::JsonLines(out) => Ok(out),
            Writer::Xlsx(sheet, mut out) => {
                sheet.finish(&mut out)?;
                Ok(out)
            }
        };
        let out: BufWriter<Out> = out.map_err(|error: io::Error| ExportError::Broken(error))?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .end()
    }
}

impl Out {
    /// Begins, and says in which folder there is room for what is on its way.
    fn begin(target: ExportTarget) -> Result<(Self, PathBuf), ExportError> {
        let (path, replaces) = match target {
            ExportTarget::Stream(stream) => {
                return Ok((Self::Stream(stream), std::env::temp_dir()));
            }
            ExportTarget::File { path, replaces } => (path, replaces),
        };
        if !replaces && path.exists() {
            return Err(ExportError::Exists(path));
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or_else(|| Path::new(".")).to_owned();
        // The file is its owner's alone, as customers' data should be.
        let file = tempfile::Builder::new()
            .prefix(".drumbeat-export-")
            .tempfile_in(&folder);
        match file {
            Ok(file) => Ok((
                Self::File {
                    file,
                    path,
                    replaces,
                },
                folder,
            )),
            Err(error) => Err(ExportError::Unwritable { path, error }),
        }
    }

    fn end(self) -> Result<(), ExportError> {
        let (file, path, replaces) = match self {
            Self::Stream(mut stream) => return Ok(stream.flush()?),
            Self::File {
                file,
                path,
                replaces,
            } => (file, path, replaces),
        };
        let unwritable = |error| ExportError::Unwritable {
            path: path.clone(),
            error,
        };
        file.as_file().sync_all().map_err(unwritable)?;
        let moved = if replaces {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        match moved {
            Ok(_) => Ok(()),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(ExportError::Exists(path))
            }
            Err(failed) => Err(unwritable(failed.error)),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

fn csv_cell(cell: Option<&FieldValue>) -> String {
    match cell {
        None => String::new(),
        Some(FieldValue::One(Value::Text(text))) => guarded(text).into_owned(),
        Some(FieldValue::One(value)) => value.to_string(),
        Some(FieldValue::Many(values)) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            guarded(&values.join(";")).into_owned()
        }
    }
}

fn json_cell(cell: Option<&FieldValue>) -> Json {
    match cell {
        None => Json::Null,
        Some(FieldValue::One(value)) => json_value(value),
        Some(FieldValue::Many(values)) => values.iter().map(json_value).collect(),
    }
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Date(day) => json!(day),
        Value::Instant(instant) => json!(instant),
    }
}
