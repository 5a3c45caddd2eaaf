//! Owns anonymous customers: how they come to be, and how they become part of who they turn out to be.

use jiff::Timestamp;

use super::error::Error;
use super::profiles::{WrittenField, id_of, read_new};
use crate::domain::audit::By;
use crate::domain::revision::Revision;
use crate::store::{Merge, Store, Upsert};

/// Adds a visitor of whom nobody knows yet who they are; they are never written to. `false`: there is a
/// customer with this id, and nothing was done.
pub async fn add_anonymous(
    store: &Store,
    revision: &Revision,
    customer: &str,
    written: &[WrittenField],
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let added = read_new(revision, customer, written)?;
    if store.customer_id(&added.external_id).await?.is_some() {
        return Ok(false);
    }
    let how = Upsert {
        model: &revision.data_model,
        tags: &[],
        consents: &[],
        by,
        at,
    };
    Ok(store.add_anonymous(&added, &how).await?)
}

/// Makes an anonymous customer part of an identified one; afterwards the old id leads there.
pub async fn merge(
    store: &Store,
    revision: &Revision,
    from: &str,
    into: &str,
    by: &By,
    at: Timestamp,
) -> Result<(), Error> {
    let merge = Merge {
        from: id_of(store, from).await?,
        into: id_of(store, into).await?,
        model: &revision.data_model,
        by,
        at,
    };
    Ok(store.merge_customers(&merge).await?)
}
