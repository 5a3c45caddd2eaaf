//! Owns why a file cannot be read as a table, or not any further.

use std::io;
use std::path::PathBuf;

use super::names::UnknownName;
use super::table_row::MAX_COLUMNS;

/// Why a file cannot be read as a table, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("`{}` has no header row: its first row must name the columns", .0.display())]
    Empty(PathBuf),
    #[error("the file has {0} columns: at most {MAX_COLUMNS} are read")]
    TooManyColumns(usize),
    #[error("line {line}: a row of more than 1 MiB begins here: is a quotation mark not closed?")]
    EndlessRow { line: u64 },
    #[error("line {line}: {error}")]
    Broken { line: u64, error: csv::Error },
    #[error("`{}` holds one JSON array: expected an object on each line (JSON Lines)", .0.display())]
    JsonArray(PathBuf),
    #[error(
        "`{}` is a workbook of an old version, or has a password: save it as .xlsx without one, \
         or as CSV", .0.display()
    )]
    OldWorkbook(PathBuf),
    #[error("`{}` is not a workbook that can be read: {why} (expected .xlsx)", path.display())]
    NotAWorkbook { path: PathBuf, why: String },
    /// What it would take to read it.
    #[error("the workbook is refused: {0}; save the sheet as CSV")]
    TooMuch(String),
    #[error(transparent)]
    Sheet(#[from] UnknownName),
    #[error("after row {row} of `{part}`: the workbook is damaged: {error}")]
    Damaged {
        part: String,
        row: u64,
        error: quick_xml::Error,
    },
}
