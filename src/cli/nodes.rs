//! Owns how the nodes of a store are shown: who they are, what each holds, and who differs.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::STRIPE;
use crate::store::{Published, Result, Store};

/// One daemon among those that share a store.
pub(crate) struct NodeLine {
    pub(crate) name: String,
    pub(crate) since: Timestamp,
    pub(crate) buckets: u16,
    pub(crate) revision: Option<i32>,
    /// Its files are not those of the current revision.
    pub(crate) files_differ: bool,
}

/// The nodes that run; none on a store that is one file.
pub(crate) async fn of(store: &Store, published: &Published) -> Result<Vec<NodeLine>> {
    if !store.is_shared() {
        return Ok(Vec::new());
    }
    let owners = store.stripe_owners().await?;
    let held = |node| owners.values().filter(|owner| **owner == node).count();
    let nodes = store.live_nodes().await?.into_iter();
    Ok(nodes
        .map(|node| NodeLine {
            buckets: u16::try_from(held(node.node)).unwrap_or_default() * STRIPE,
            files_differ: node.files.is_some_and(|files| files != published.hash),
            name: node.name,
            since: node.since,
            revision: node.revision,
        })
        .collect())
}

pub(crate) fn facts(node: &NodeLine) -> Value {
    json!({
        "name": node.name,
        "since": node.since,
        "buckets": node.buckets,
        "revision": node.revision,
        "files_differ": node.files_differ,
    })
}

/// What a node does, and what is wrong with it.
pub(crate) fn words(node: &NodeLine, published: &Published) -> String {
    let mut words = format!("{} buckets", node.buckets);
    if node.files_differ {
        words.push_str(", its files are not those of this revision: bring them up to date");
    } else if node
        .revision
        .is_some_and(|revision| revision != published.number.0)
    {
        words.push_str(", on its way to this revision");
    }
    words
}
