//! Owns `/customers/batch`: many customers at once, each with its own result.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersWrite};
use super::customers::CustomerInput;
use super::problem::{FieldError, Problem};
use super::reading::Body;
use crate::customers::batch;
use crate::store::Written;
use crate::web::state::WebState;

const MOST: usize = 1000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchInput {
    /// Up to 1,000; of two with the same id the later goes over the earlier.
    #[schema(max_items = 1000)]
    customers: Vec<CustomerInput>,
}

/// What became of a batch.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct BatchResult {
    pub(super) read: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) rejected: u64,
    /// One for each customer, in their order.
    pub(super) results: Vec<ItemResult>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemResult {
    #[schema(example = "ana")]
    id: String,
    outcome: Outcome,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Created,
    Updated,
    Unchanged,
    Rejected,
}

/// Add or change many customers
///
/// Up to 1,000 at once, in a body of up to 8 MiB. What is valid is written in one transaction; what is
/// not is rejected with its reasons, and the rest goes on without it.
#[utoipa::path(
    post, path = "/customers/batch", tag = "customers", request_body = BatchInput,
    responses((status = 200, body = BatchResult, description = "What became of each.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn upsert(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Body(input): Body<BatchInput>,
) -> Result<Json<BatchResult>, Problem> {
    if input.customers.len() > MOST {
        let told = format!("holds {}: {MOST} at most", input.customers.len());
        return Err(Problem::field("/customers", told));
    }
    let published = state.daemon.published();
    let revision = &published.revision;
    let (mut valid, mut verdicts) = (Vec::new(), Vec::new());
    for customer in &input.customers {
        match customer.read(revision) {
            Ok(customer) => {
                valid.push(customer);
                verdicts.push(None);
            }
            Err(errors) => verdicts.push(Some(errors)),
        }
    }
    let (by, at) = (caller.by(), state.clock.now());
    let written = batch::upsert(&state.store, revision, &valid, &by, at).await?;
    let mut written = written.into_iter();
    let mut result = BatchResult::default();
    for (customer, errors) in input.customers.iter().zip(verdicts) {
        let outcome = match &errors {
            Some(_) => Outcome::Rejected,
            None => written.next().map_or(Outcome::Unchanged, outcome),
        };
        result.add(customer.id(), outcome, errors.unwrap_or_default());
    }
    Ok(Json(result))
}

fn outcome(written: Written) -> Outcome {
    match written {
        Written::Created => Outcome::Created,
        Written::Updated => Outcome::Updated,
        Written::Unchanged => Outcome::Unchanged,
    }
}

impl BatchResult {
    fn add(&mut self, id: &str, outcome: Outcome, errors: Vec<FieldError>) {
        self.read += 1;
        *match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Rejected => &mut self.rejected,
        } += 1;
        self.results.push(ItemResult {
            id: id.to_owned(),
            outcome,
            errors,
        });
    }
}
