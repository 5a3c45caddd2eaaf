//! Owns which customers a set statement is about: some buckets whole, or a list; always bound as `$1`.

use std::ops::Range;

use super::error::{Error, Result};
use crate::domain::ids::{CustomerId, NameNo};

/// A set of customers.
#[derive(Debug, Clone)]
pub enum Among<'a> {
    Buckets(Range<u16>),
    Customers(&'a [CustomerId]),
}

impl Among<'_> {
    /// What is bound as `$1`: the numbers of a list, or the first and last of whole buckets.
    pub(super) fn bind(&self) -> String {
        match self {
            Self::Buckets(range) => format!("[{},{}]", range.start, range.end.saturating_sub(1)),
            Self::Customers(ids) => numbers(ids),
        }
    }

    /// `FROM` text that yields the rows of `table` as `alias`; a list stands first, so that only
    /// its own rows are read.
    pub(super) fn from(&self, table: &str, alias: &str) -> String {
        match self {
            Self::Buckets(_) => format!("{table} AS {alias}"),
            Self::Customers(_) => {
                format!("@ids AS k CROSS JOIN {table} AS {alias}")
            }
        }
    }

    /// `WHERE` text that keeps to the set.
    pub(super) fn within(&self, alias: &str) -> String {
        match self {
            Self::Buckets(_) => format!("{alias}.bucket BETWEEN @first AND @last"),
            Self::Customers(_) => {
                format!("{alias}.bucket = k.bucket AND {alias}.customer_id = k.id")
            }
        }
    }
}

/// The JSON array that `ids!()` unrolls.
pub(super) fn numbers(ids: &[CustomerId]) -> String {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    serde_json::to_string(&ids).unwrap_or_default()
}

/// The JSON array of the numbers of names.
pub(super) fn numbers_of_names(names: &[NameNo]) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

/// The customers of such an array as the database answers it.
pub(super) fn customers(list: &str) -> Result<Vec<CustomerId>> {
    let ids: Vec<i64> = serde_json::from_str(list)
        .map_err(|error| Error::Corrupt(format!("customers cannot be read: {error}")))?;
    Ok(ids.into_iter().map(CustomerId).collect())
}
