//! Owns reports: files that exports leave in the store until somebody fetches them.

use jiff::Timestamp;

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The number of the job that made it.
    pub number: i64,
    /// As a file would be called.
    pub name: String,
    /// `csv`, `xlsx` or `jsonl`.
    pub format: String,
    /// Who asked for it.
    pub actor: String,
    pub created_at: Timestamp,
    /// How many customers are in it.
    pub customers: u64,
    pub bytes: u64,
}
