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

/// `FROM` text that yields the owners as `c`, and the column that time passes by. The bucket is not
/// what the rows are found by.
struct Place {
    from: String,
    at: String,
    /// Whether an owner can come twice.
    repeats: bool,
}

impl Axis {
    fn place(&self) -> Place {
        let every = |alias: &str| format!("+{alias}.bucket BETWEEN 0 AND 1023");
        match self {
            Self::Customer(column) => Place {
                from: format!("customers AS c WHERE {}", every("c")),
                at: format!("c.{column}"),
                repeats: false,
            },
            Self::Activity(column) => Place {
                from: format!("activity AS c WHERE {}", every("c")),
                at: format!("c.{column}"),
                repeats: false,
            },
            Self::Interactions(kind) => Place {
                from: format!(
                    "interactions AS c WHERE {} AND c.kind = {}",
                    every("c"),
                    kind.number()
                ),
                at: "c.at".to_owned(),
                repeats: true,
            },
            Self::Dispatches(channel) => Place {
                from: format!(
                    "dispatches AS d CROSS JOIN enrollments AS c WHERE {} AND d.channel = {} \
                     AND d.state IN ({}) AND c.bucket = d.bucket \
                     AND c.enrollment_id = d.enrollment_id",
                    every("d"),
                    channel.number(),
                    taken()
                ),
                at: "d.at".to_owned(),
                repeats: true,
            },
        }
    }

    /// The owners of what lies from `$1` on and below `$2`: `bucket` and `customer_id`.
    pub(super) fn owners(&self) -> String {
        let Place { from, at, repeats } = self.place();
        let distinct = if repeats { "DISTINCT " } else { "" };
        format!("SELECT {distinct}c.bucket, c.customer_id FROM {from} AND {at} >= $1 AND {at} < $2")
    }

    /// The first that lies from the placeholder's value on.
    pub(super) fn first(&self, placeholder: usize) -> String {
        let Place { from, at, .. } = self.place();
        format!("SELECT {at} FROM {from} AND {at} >= ${placeholder} ORDER BY {at} LIMIT 1")
    }

    /// The name of its index, and what that is of.
    fn index(&self) -> (String, String) {
        match self {
            Self::Customer(column) => (
                name(&format!("customers_{column}")),
                format!("customers ({column}) WHERE {column} IS NOT NULL"),
            ),
            Self::Activity(column) => (
                name(&format!("activity_{column}")),
                format!("activity ({column}) WHERE {column} IS NOT NULL"),
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
