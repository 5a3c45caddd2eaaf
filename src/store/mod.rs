//! Owns SQL, and nowhere else is any: one file per noun, one set of statements for every database.

mod db;
mod error;
mod migrate;

pub use db::Store;
pub use error::Error;

/// What every question to the store answers.
pub type Result<T> = std::result::Result<T, Error>;
