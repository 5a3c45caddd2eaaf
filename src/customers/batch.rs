//! Owns customers that a program gives: created or changed together, and what became of each.

use jiff::Timestamp;
use serde_json::json;

use super::error::Error;
use super::leading::followed;
use crate::domain::audit::By;
use crate::domain::revision::Revision;
use crate::store::{NewCustomer, Store, Upsert, Written};

/// Creates or changes customers in one transaction; one answer for each, in their order. An id that was
/// merged into another is that of the other.
pub async fn upsert(
    store: &Store,
    revision: &Revision,
    customers: &[NewCustomer],
    by: &By,
    at: Timestamp,
) -> Result<Vec<Written>, Error> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let customers = &*followed(store, customers).await?;
    let how = Upsert {
        model: &revision.data_model,
        tags: &[],
        consents: &[],
        by,
        at,
    };
    let written = store.upsert_each(customers, &how).await?;
    let created = written
        .iter()
        .filter(|one| **one == Written::Created)
        .count();
    let (what, detail) = match customers {
        [customer] => ("customer-added", customer.external_id.clone()),
        _ => (
            "customers-added",
            json!({ "customers": created }).to_string(),
        ),
    };
    if created > 0 {
        store.audit(by, what, Some(&detail), at).await?;
    }
    Ok(written)
}
