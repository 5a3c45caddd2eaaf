//! Owns `/customers/{id}/merge`: a visitor turns out to be a customer who is known.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersWrite};
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::customers::merging;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeInput {
    /// The unique id of the identified customer.
    #[schema(example = "ana")]
    into: String,
}

/// Merge a visitor into a customer
///
/// An anonymous customer becomes part of an identified one, with the whole history; afterwards the old id
/// leads to the customer. No state is improved by it: whoever was barred stays so.
#[utoipa::path(
    post, path = "/customers/{id}/merge", tag = "customers", request_body = MergeInput,
    params(("id" = String, Path, description = "The unique id of the anonymous customer.")),
    responses((status = 204, description = "Merged.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn merge(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(from): Named,
    Body(input): Body<MergeInput>,
) -> Result<StatusCode, Problem> {
    let published = state.daemon.published();
    let (by, at) = (caller.by(), state.clock.now());
    let (store, revision) = (&state.store, &published.revision);
    merging::merge(store, revision, &from, &input.into, &by, at).await?;
    Ok(StatusCode::NO_CONTENT)
}
