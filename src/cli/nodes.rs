//! Owns the words about a node of a store: what it holds, and what is wrong with it.

use crate::engine::node_lines::NodeLine;
use crate::store::Published;

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
