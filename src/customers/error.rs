//! Owns what can go wrong when people or files change customers.

use std::io;
use std::path::PathBuf;

use super::export_file::ExportError;
use super::mapping::MappingError;
use super::names::UnknownName;
use super::rejects::RejectsError;
use super::table::TableError;
use crate::domain::import::ImportNo;
use crate::store;

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no customer `{0}`")]
    UnknownCustomer(String),
    #[error(transparent)]
    UnknownName(#[from] UnknownName),
    /// A value that its field does not take. For a validation, `reason` is exactly its message.
    #[error("`{field}`: {reason}")]
    BadValue { field: String, reason: String },
    /// A text that people write beside fields: the name of the text, and what is wrong with it.
    #[error("`{name}`: {reason}")]
    BadText { name: &'static str, reason: String },
    /// An id that cannot be one; the field names where it was given.
    #[error("`{place}` {reason}")]
    BadId { place: &'static str, reason: String },
    #[error("`{0}` is another customer already: take a new id for this visitor")]
    OtherCustomer(String),
    #[error("`{0}` is a visitor of whom nobody knows who they are: name the customer")]
    StillAnonymous(String),
    #[error("the condition cannot be read: {0}")]
    BadCondition(String),
    /// Part of how a file is to be imported.
    #[error("`{field}`: {reason}")]
    BadPlan { field: &'static str, reason: String },
    #[error("the file of import {0} is not here any more: bring it again")]
    FileGone(ImportNo),
    #[error("there is no import `{0}`")]
    UnknownImport(ImportNo),
    #[error("the file is larger than {} MiB: split it", .0 / 1024 / 1024)]
    FileTooLarge(u64),
    #[error("cannot keep a file in `{}`: {error}", path.display())]
    Unkept { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error(transparent)]
    Rejects(#[from] RejectsError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(
        "{error} ({stored} customers of the rows before are stored; importing the corrected file \
         again is safe)"
    )]
    Stopped { stored: u64, error: Box<Error> },
    #[error("the table cannot be written: {0}")]
    Unwritable(String),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the reading of the file was broken off: {0}")]
    BrokenOff(#[from] tokio::task::JoinError),
}
