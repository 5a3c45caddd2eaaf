//! Owns what is to be done once customers were deleted, so that no file and no page of before holds them.

use super::error::Error;
use super::imports::spool;
use crate::store::Store;

/// Removes what the deletion let go of: bytes of exports, files that waited to be saved, and the journal.
pub(super) async fn remove(store: &Store) -> Result<(), Error> {
    store.sweep_reports().await?;
    spool::sweep(store).await?;
    Ok(store.empty_journal().await?)
}
