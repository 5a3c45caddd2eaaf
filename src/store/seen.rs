//! Owns whether a customer is still as somebody saw them, asked within the transaction that changes them.

use super::customers;
use super::error::{Error, Result};
use super::tx::Tx;
use crate::domain::customer_version::Version;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;

/// The versions of a customer under which a change is to be made; no condition when there is none.
pub type Seen<'a> = Option<&'a [Version]>;

/// Refuses a change of a customer who is no longer as they were seen. Their row is kept already.
///
/// # Errors
/// [`Error::Conflict`].
pub(super) async fn require(
    tx: &mut Tx,
    customer: CustomerId,
    seen: Seen<'_>,
    model: &DataModel,
) -> Result<()> {
    let Some(seen) = seen else { return Ok(()) };
    let found = customers::whole(&[customer], model, tx).await?.pop();
    match found {
        Some(customer) if seen.contains(&Version::of(&customer)) => Ok(()),
        Some(_) => Err(moved()),
        None => Err(super::changes::unknown(customer)),
    }
}

pub(super) fn moved() -> Error {
    Error::Conflict("the customer has changed since it was read".to_owned())
}
