//! Owns which change waits for somebody to agree: it would newly let in more customers than the policy allows.

use crate::domain::approval::Awaiting;
use crate::engine::impact;
use crate::store::{NewRevision, Published, Result, Store};

/// The revision as one that is not in force yet, unless it may come after `current` at once.
pub(super) async fn held(
    store: &Store,
    current: &Published,
    new: &NewRevision<'_>,
) -> Result<Option<Awaiting>> {
    let definitions = new.revision.definitions;
    if current.hash == new.hash && current.revision.definitions == definitions {
        return Ok(None);
    }
    let known = store.awaiting().await?;
    let is_approved =
        |known: Awaiting| known.approved.is_some() && known.is_of(new.hash, definitions);
    if known.is_some_and(is_approved) {
        return Ok(None);
    }
    match impact::awaits(store, current, new.revision, new.at).await? {
        Some(reach) => store.hold(new, reach).await.map(Some),
        None => Ok(None),
    }
}
