//! Owns customers as rows of a list: who they are at a glance, for the command line and the API alike.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::error::Error;
use super::facts::fields;
use super::overview::rating;
use crate::domain::customer::{Customer, Status};
use crate::domain::ids::CustomerId;
use crate::domain::nps::LastNps;
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::store::Store;

/// A customer in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CustomerBrief {
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub id: String,
    /// The first and the last name.
    #[schema(example = "Ana Silva")]
    pub name: Option<String>,
    #[schema(example = "ana@example.com")]
    pub email: Option<String>,
    pub phone: Option<String>,
    pub status: Status,
    /// Why the customer is suspended or discarded.
    pub status_reason: Option<String>,
    pub rating: Rating,
    /// Whether it is known who this is.
    pub identified: bool,
    #[schema(example = json!(["vip"]))]
    pub tags: Vec<String>,
    pub created_at: Timestamp,
    pub last_activity_at: Option<Timestamp>,
    pub last_transaction_at: Option<Timestamp>,
    /// The score of the last answer to "how likely is it that you would recommend us?", 0 to 10.
    pub nps: Option<u8>,
    /// Values by field; dates are `YYYY-MM-DD`, instants RFC 3339 in UTC, many-valued fields lists.
    #[schema(value_type = std::collections::BTreeMap<String, Json>, example = json!({"city": "Lyon"}))]
    pub fields: Map<String, Json>,
}

impl CustomerBrief {
    fn of(
        (customer, nps): (&Customer, Option<&LastNps>),
        revision: &Revision,
        now: Timestamp,
    ) -> Self {
        let text = |field: &str| customer.text(field).map(str::to_owned);
        let names = ["first_name", "last_name"].into_iter().filter_map(text);
        let name = names.collect::<Vec<_>>().join(" ");
        Self {
            id: customer.external_id.clone(),
            name: (!name.is_empty()).then_some(name),
            email: text("email"),
            phone: text("phone"),
            status: customer.status,
            status_reason: customer.status_reason.clone(),
            rating: rating(customer, revision, now),
            identified: customer.identified,
            tags: customer.tags.clone(),
            created_at: customer.created_at,
            last_activity_at: customer.last_activity_at,
            last_transaction_at: customer.last_transaction_at,
            nps: nps.map(|last| last.answer.score),
            fields: fields(customer),
        }
    }

    /// The same with these fields alone.
    #[must_use]
    pub fn with_fields(mut self, chosen: &[String]) -> Self {
        self.fields.retain(|name, _| chosen.contains(name));
        self
    }
}

/// Customers as they are listed, in this order; without those who were deleted meanwhile.
pub async fn briefs(
    store: &Store,
    revision: &Revision,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<Vec<CustomerBrief>, Error> {
    let scores = store.nps_of(customers).await?;
    let customers = store.customers(customers, &revision.data_model).await?;
    let brief = |customer: &Customer| {
        let told = (customer, scores.get(&customer.id));
        CustomerBrief::of(told, revision, now)
    };
    Ok(customers.iter().map(brief).collect())
}
