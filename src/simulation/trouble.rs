//! Owns why a test or a simulation could not be played to its end.

use crate::customers;
use crate::store;

/// Why a test could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("cannot make a private store: {0}")]
    Folder(#[from] std::io::Error),
    #[error("{0}")]
    Store(#[from] store::Error),
    #[error("{0}")]
    Customer(#[from] customers::error::Error),
    #[error("after the edit of `{file}` the files have errors:\n{said}")]
    Edited { file: String, said: String },
    #[error("`{file}` has no text `{replace}` by then")]
    NotThere { file: String, replace: String },
    #[error("there is no flow `{0}`")]
    NoFlow(String),
    #[error(
        "the flow `{0}` has a schedule and never comes to rest: say how long it runs with `for: 30d`"
    )]
    Scheduled(String),
    #[error("it does not come to rest within 400 days: say how long it runs with `for: 30d`")]
    Endless,
}
