//! Owns edits of one customer upon what somebody saw: made if the customer is still so, else refused.

use jiff::Timestamp;

use super::error::Error;
use super::json_fields::TypedField;
use super::profiles::id_of;
use super::traces;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::revision::Revision;
use crate::domain::subscription::Consent;
use crate::store::{Permissions, Seen, Store};

/// Who edits, when, and upon which versions of the customer; without any, whatever it is like.
#[derive(Clone, Copy)]
pub struct Edit<'a> {
    pub store: &'a Store,
    pub revision: &'a Revision,
    pub seen: Seen<'a>,
    pub by: &'a By,
    pub at: Timestamp,
}

impl Edit<'_> {
    /// Sets fields. `false`: they had these values before.
    pub async fn set_fields(&self, customer: &str, fields: &[TypedField]) -> Result<bool, Error> {
        let (store, model) = (self.store, &self.revision.data_model);
        let id = id_of(store, customer).await?;
        let set = store.set_fields_seen(id, fields, model, self.seen, self.by, self.at);
        Ok(set.await?)
    }

    /// Removes a customer with everything that is known of it, and ends its enrollments.
    pub async fn delete(&self, customer: &str) -> Result<(), Error> {
        let (store, model) = (self.store, &self.revision.data_model);
        let id = id_of(store, customer).await?;
        store
            .delete_customer_seen(id, model, self.seen, self.by, self.at)
            .await?;
        traces::remove(store).await
    }

    /// Turns switches and records consents, all or none. `false`: they were so before.
    pub async fn set_permissions(
        &self,
        customer: &str,
        switches: &[(Switch, bool)],
        consents: &[(Channel, Consent)],
    ) -> Result<bool, Error> {
        let id = id_of(self.store, customer).await?;
        let permissions = Permissions {
            switches,
            consents,
            model: &self.revision.data_model,
            seen: self.seen,
        };
        let set = self
            .store
            .set_permissions(id, &permissions, self.by, self.at);
        Ok(set.await?)
    }
}
