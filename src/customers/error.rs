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
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the reading of the file was broken off: {0}")]
    BrokenOff(#[from] tokio::task::JoinError),
}
