//! Owns where the instants and days lie that time passes by, and the indexes by which they are found.

use std::collections::{BTreeMap, BTreeSet};

use super::db::Store;
use super::error::Result;
use super::segment_did::taken;
use super::segment_edges::{Axis, Edge};
use super::sql::{query, query_scalar};

/// Every name of such an index begins so.
const PREFIX: &str = "time_";
/// The longest name that PostgreSQL keeps whole.
const LONGEST_NAME: usize = 63;

/// The rows of an axis, the column that time passes by, and how the rows lead to their owner `c`. The
/// bucket is not what they are found by.
struct Place {
    rows: String,
    keep: String,
    at: &'static str,
    column: String,
    owner: (&'static str, &'static str),
    /// Whether an owner can come twice.
    repeats: bool,
}

impl Axis {
    fn place(&self) -> Place {
        let every = "+c.bucket BETWEEN 0 AND 1023".to_owned();
        let of_owner = |table: &str, column: &str| Place {
            rows: format!("{table} AS c"),
            keep: every.clone(),
            at: "c",
            column: column.to_owned(),
            owner: ("", ""),
            repeats: false,
        };
        match self {
            Self::Customer(column) => of_owner("customers", column),
            Self::Activity(column) => of_owner("activity", column),
            Self::Interactions(kind) => Place {
                keep: format!("{every} AND c.kind = {}", kind.number()),
                repeats: true,
                ..of_owner("interactions", "at")
            },
            Self::Dispatches(channel) => Place {
                rows: "dispatches AS d".to_owned(),
                keep: format!(
                    "+d.bucket BETWEEN 0 AND 1023 AND d.channel = {} AND d.state IN ({})",
                    channel.number(),
                    taken()
                ),
                at: "d",
                column: "at".to_owned(),
                owner: (
                    " CROSS JOIN enrollments AS c",
                    " AND c.bucket = d.bucket AND c.enrollment_id = d.enrollment_id",
                ),
                repeats: true,
            },
        }
    }

    /// The owners of what lies from `$1` on and below `$2`: `bucket` and `customer_id`.
    pub(super) fn owners(&self) -> String {
        let Place {
            rows,
            keep,
            at,
            column,
            owner: (owner, of),
            repeats,
        } = self.place();
        let distinct = if repeats { "DISTINCT " } else { "" };
        format!(
            "SELECT {distinct}c.bucket, c.customer_id FROM {rows}{owner} WHERE {keep} \
             AND {at}.{column} >= $1 AND {at}.{column} < $2{of}"
        )
    }

    /// The first that lies from the placeholder's value on.
    pub(super) fn first(&self, placeholder: usize) -> String {
        let place = self.place();
        let (rows, keep) = (&place.rows, &place.keep);
        let at = format!("{}.{}", place.at, place.column);
        format!(
            "SELECT {at} FROM {rows} WHERE {keep} AND {at} >= ${placeholder} ORDER BY {at} LIMIT 1"
        )
    }

    /// The name of its index, and what that is of.
    fn index(&self) -> (String, String) {
        match self {
            Self::Customer(column) => (
                name(&format!("customers_{column}")),
                of_column("customers", column),
            ),
            Self::Activity(column) => (
                name(&format!("activity_{column}")),
                of_column("activity", column),
            ),
            Self::Interactions(kind) => (
                name(&format!("interactions_{}", kind.number())),
                format!("interactions (at) WHERE kind = {}", kind.number()),
            ),
            Self::Dispatches(channel) => (
                name(&format!("dispatches_{}", channel.number())),
                format!(
                    "dispatches (at) WHERE channel = {} AND state IN ({})",
                    channel.number(),
                    taken()
                ),
            ),
        }
    }
}

/// Leaves out who has no value; a column that everybody has is not asked about that, because then
/// SQLite does not find its index again.
fn of_column(table: &str, column: &str) -> String {
    if ["created_at", "last_activity_at"].contains(&column) {
        return format!("{table} ({column})");
    }
    format!("{table} ({column}) WHERE {column} IS NOT NULL")
}

fn name(of: &str) -> String {
    let name = format!("{PREFIX}{of}");
    if name.len() <= LONGEST_NAME {
        return name;
    }
    format!("{PREFIX}{:016x}", xxhash_rust::xxh3::xxh3_64(of.as_bytes()))
}

impl Store {
    /// Makes the indexes by which time finds whom these edges have met, and drops those of edges that
    /// are no more. Others cannot write while one is made.
    pub async fn index_edges(&self, edges: &[Edge]) -> Result<()> {
        let wanted: BTreeMap<String, String> = edges.iter().map(|edge| edge.axis.index()).collect();
        let list = self.dialect().indexes_that_begin();
        let there: Vec<String> = query_scalar(list)
            .bind(PREFIX)
            .fetch_all(self.read())
            .await?;
        let there: BTreeSet<String> = there.into_iter().collect();
        if there.iter().eq(wanted.keys()) {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for gone in there.iter().filter(|name| !wanted.contains_key(*name)) {
            let drop = format!("DROP INDEX IF EXISTS {gone}");
            query(drop).persistent(false).execute(&mut tx).await?;
        }
        for (name, of) in wanted.iter().filter(|(name, _)| !there.contains(*name)) {
            let make = format!("CREATE INDEX IF NOT EXISTS {name} ON {of}");
            query(make).persistent(false).execute(&mut tx).await?;
        }
        tx.commit().await
    }
}

/// Every statement that finds whom these edges have met or meet next, as it is written.
pub fn time_statements(edges: &[Edge]) -> Vec<String> {
    let of = |edge: &Edge| [edge.axis.owners(), edge.axis.first(1)];
    edges.iter().flat_map(of).collect()
}
