//! Owns telling who a visitor is: from then on what they do is in one history.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::batch;
use super::error::Error;
use super::merging;
use super::typing::read_id;
use crate::domain::audit::By;
use crate::domain::revision::Revision;
use crate::store::{Behind, NewCustomer, Store};

/// What telling who somebody is came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Identified {
    /// Whether the customer was added for it.
    pub created: bool,
    /// Whether the visitor became part of the customer now; otherwise they were before.
    pub merged: bool,
}

/// Makes a visitor part of a customer, who is added when they are new. A visitor of whom nothing is known
/// yet leads there from now on.
///
/// # Errors
/// [`Error::OtherCustomer`] for a visitor who turned out to be somebody else before.
pub async fn identify(
    store: &Store,
    revision: &Revision,
    (visitor, customer): (&str, &str),
    by: &By,
    at: Timestamp,
) -> Result<Identified, Error> {
    let [visitor, customer] =
        [("visitor", visitor), ("customer", customer)].map(|(field, id)| readable(field, id));
    let (visitor, customer) = (visitor?, customer?);
    let ids = BTreeSet::from([visitor.to_owned(), customer.to_owned()]);
    let behind = store.behind(&ids).await?;
    let (from, into) = (behind.get(visitor), behind.get(customer));
    match (from, into) {
        (Some(Behind::Identified(_)), _) => return Err(other(visitor)),
        (_, Some(Behind::Anonymous(_))) => return Err(Error::StillAnonymous(customer.to_owned())),
        (Some(Behind::Merged(one)), into) => {
            return match into {
                Some(into) if into.customer() == *one => Ok(Identified {
                    created: false,
                    merged: false,
                }),
                _ => Err(other(visitor)),
            };
        }
        (Some(Behind::Anonymous(_)) | None, _) => {}
    }
    let created = into.is_none();
    if created {
        let new = NewCustomer {
            external_id: customer.to_owned(),
            fields: Vec::new(),
        };
        batch::upsert(store, revision, &[new], by, at).await?;
    }
    if from.is_none() {
        merging::add_anonymous(store, revision, visitor, &[], by, at).await?;
    }
    merging::merge(store, revision, visitor, customer, by, at).await?;
    Ok(Identified {
        created,
        merged: true,
    })
}

fn readable<'a>(place: &'static str, id: &'a str) -> Result<&'a str, Error> {
    read_id(id).map_err(|reason| Error::BadId { place, reason })
}

fn other(visitor: &str) -> Error {
    Error::OtherCustomer(visitor.to_owned())
}
