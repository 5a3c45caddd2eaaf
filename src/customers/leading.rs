//! Owns following the ids of those who became part of other customers: a row under such an id speaks of
//! whom it leads to.

use std::borrow::Cow;

use tokio::runtime::Handle;

use super::error::Error;
use crate::store::{Draft, NewCustomer, Store};

/// Where a reading asks whom ids lead to.
pub(super) struct Leading {
    store: Store,
    runtime: Handle,
}

impl Leading {
    /// For a thread beside the runtime that this is called in.
    pub(super) fn of(store: &Store) -> Self {
        Self {
            store: store.clone(),
            runtime: Handle::current(),
        }
    }

    /// Puts the rows of a draft under the ids that theirs lead to. Blocks.
    pub(super) fn follow(&self, draft: &mut Draft) -> Result<(), Error> {
        self.runtime.block_on(async {
            if !self.store.has_aliases().await? {
                return Ok(());
            }
            let leads = self.store.leading(&draft.ids().collect::<Vec<_>>()).await?;
            Ok(draft.rename(&leads)?)
        })
    }
}

/// Customers under the ids that theirs lead to.
pub(super) async fn followed<'a>(
    store: &Store,
    customers: &'a [NewCustomer],
) -> Result<Cow<'a, [NewCustomer]>, Error> {
    let ids = customers.iter().map(|one| one.external_id.as_str());
    let leads = store.leading(&ids.collect::<Vec<_>>()).await?;
    if leads.is_empty() {
        return Ok(Cow::Borrowed(customers));
    }
    let mut customers = customers.to_vec();
    for customer in &mut customers {
        if let Some(into) = leads.get(&customer.external_id) {
            customer.external_id.clone_from(into);
        }
    }
    Ok(Cow::Owned(customers))
}
