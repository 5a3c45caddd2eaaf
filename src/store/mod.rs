//! Owns SQL, and nowhere else is any: one file per noun, one set of statements for every database.

mod bind;
mod changes;
mod customer_columns;
mod customer_lists;
mod customer_sheet;
mod customer_upsert;
mod customers;
mod db;
mod dialect;
mod dirty;
mod error;
mod flow_edits;
mod instants;
mod interactions;
mod meta;
mod migrate;
mod names;
mod patterns;
mod revisions;
mod rows;
mod sequences;
mod statements;

pub use bind::Bind;
pub use customer_sheet::NewCustomer;
pub use customer_upsert::{Upsert, Upserted};
pub use db::Store;
pub use error::{Error, Result};
pub use revisions::{CheckRecord, NewRevision, Published};
pub use statements::statements;
