//! Owns `/customers/{id}/status`: suspending, discarding and reactivating one customer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersWrite};
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::customers::remarks::remark;
use crate::customers::statuses;
use crate::domain::customer::Status;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusInput {
    status: Status,
    /// Why, for the record; shown with the customer while they are suspended or discarded.
    #[schema(example = "asked by the branch in Lyon", max_length = 1000)]
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusSet {
    /// The customer's unique id.
    #[schema(example = "ana")]
    customer: String,
    status: Status,
    /// Whether it was another before, or for another reason.
    changed: bool,
}

/// Set a customer's status
///
/// Who is suspended or discarded leaves every flow and is not written to. Who is active again may come
/// to qualify anew.
#[utoipa::path(
    put, path = "/customers/{id}/status", tag = "customers", request_body = StatusInput,
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 200, body = StatusSet, description = "It is so.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn set(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<StatusInput>,
) -> Result<Json<StatusSet>, Problem> {
    let status = input.status;
    let reason = remark("reason", input.reason.as_deref())?;
    let ids = [customer];
    let (by, at) = (caller.by(), state.clock.now());
    let changed = statuses::change(&state.store, &ids, status, reason, &by, at).await?;
    let [customer] = ids;
    Ok(Json(StatusSet {
        customer,
        status,
        changed: changed.changed > 0,
    }))
}
