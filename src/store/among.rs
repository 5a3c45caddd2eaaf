//! Owns which customers a set statement is about: some buckets whole, or a list.

use std::ops::Range;

use crate::domain::ids::CustomerId;

/// A set of customers.
#[derive(Debug, Clone)]
pub enum Among<'a> {
    Buckets(Range<u16>),
    Customers(&'a [CustomerId]),
}

impl Among<'_> {
    /// The JSON rows `[bucket, customer]` of a list; of whole buckets, their first and last.
    pub(super) fn bind(&self) -> String {
        match self {
            Self::Buckets(range) => format!("[{},{}]", range.start, range.end.saturating_sub(1)),
            Self::Customers(ids) => customer_rows(ids),
        }
    }

    /// `FROM` text that yields the rows of `table` (aliased `alias`), with the set bound at `$n`.
    pub(super) fn from(&self, table: &str, alias: &str, n: usize) -> String {
        match self {
            Self::Buckets(_) => format!("{table} {alias}"),
            Self::Customers(_) => format!(
                "json_each(${n}) v CROSS JOIN {table} {alias} \
                 ON {alias}.bucket = (v.value ->> 0) AND {alias}.customer_id = (v.value ->> 1)"
            ),
        }
    }

    /// `WHERE` text that keeps to the set.
    pub(super) fn within(&self, alias: &str, n: usize) -> String {
        match self {
            Self::Buckets(_) => {
                format!("{alias}.bucket BETWEEN (${n} ->> 0) AND (${n} ->> 1)")
            }
            Self::Customers(_) => format!("{alias}.bucket >= 0 AND ${n} IS NOT NULL"),
        }
    }
}

/// `[[bucket, customer], …]`
pub(super) fn customer_rows(ids: &[CustomerId]) -> String {
    let rows: Vec<(u16, i64)> = ids.iter().map(|id| (id.bucket().0, id.0)).collect();
    serde_json::to_string(&rows).unwrap_or_default()
}
