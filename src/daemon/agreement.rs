//! Owns where the files of a node stand beside those of the others on the same store.

use crate::domain::ids::RevisionNo;
use crate::store::{Result, Store};

/// Where the files of a node stand beside what the nodes of its store run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// What runs is what the files say, or it may be made so.
    Ours,
    /// The files are of an older revision, and other nodes run the current one: no node fights for
    /// what it happens to have.
    Differs { revision: RevisionNo },
}

impl Agreement {
    /// `before` is the hash of the files that this node had until now, if it had any.
    pub(super) async fn of(store: &Store, hash: &str, before: Option<&str>) -> Result<Self> {
        let Some(revision) = store.revision_of(hash).await? else {
            return Ok(Self::Ours);
        };
        let Some(current) = store.current_hash().await? else {
            return Ok(Self::Ours);
        };
        // Whoever had what runs, and changes it back, means it.
        if current == hash || before == Some(current.as_str()) {
            return Ok(Self::Ours);
        }
        let nodes = store.live_nodes().await?;
        let others = nodes
            .iter()
            .any(|node| node.files.as_deref() == Some(&current));
        Ok(if others {
            Self::Differs { revision }
        } else {
            Self::Ours
        })
    }
}
