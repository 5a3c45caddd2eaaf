//! Owns who the nodes of a store are, what each holds, and who differs.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::STRIPE;
use crate::store::{Published, Result, Store};

/// One daemon among those that share a store.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NodeLine {
    pub name: String,
    pub since: Timestamp,
    pub buckets: u16,
    pub revision: Option<i32>,
    /// Its files are not those of the current revision.
    pub files_differ: bool,
}

/// The nodes that run; none on a store that is one file.
pub async fn of(store: &Store, published: &Published) -> Result<Vec<NodeLine>> {
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
