//! Owns finding customers by an address that they may have, many at once.

use super::db::Store;
use super::error::Result;
use super::listing::{json, listed};
use super::sql::query;
use crate::domain::identifier::Identifier;
use crate::domain::ids::CustomerId;
use crate::domain::value::fold;

macro_rules! by {
    ($column:literal) => {
        concat!(
            "@everywhere(people)SELECT @list(@array(c.customer_id, c.",
            $column,
            ")) FROM customers AS c WHERE c.bucket BETWEEN 0 AND 1023 AND c.",
            $column,
            " IN (SELECT CAST(value AS TEXT) FROM @each($1))"
        )
    };
}

const BY_EMAIL: &str = by!("n_email");
const BY_PHONE: &str = by!("n_phone");

pub(super) const STATEMENTS: &[&str] = &[BY_EMAIL, BY_PHONE];

impl Store {
    /// The customers who have one of these addresses, each with the address as it is compared. Everybody is
    /// looked through once, so many are asked about at a time.
    pub async fn customers_with_address(
        &self,
        identifier: Identifier,
        addresses: &[String],
    ) -> Result<Vec<(CustomerId, String)>> {
        let statement = match identifier {
            Identifier::Email => BY_EMAIL,
            Identifier::Phone => BY_PHONE,
            Identifier::Id => return Ok(Vec::new()),
        };
        let folded: Vec<String> = addresses.iter().map(|text| fold(text.trim())).collect();
        let found: Vec<(i64, String)> =
            listed(query(statement).bind(json(&folded)), self.read()).await?;
        let found = found.into_iter();
        Ok(found
            .map(|(id, address)| (CustomerId(id), address))
            .collect())
    }
}
