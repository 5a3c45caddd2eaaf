//! Owns `/customers/{id}/explain`: why a customer is in a flow or not, and what became of each step.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::auth::{Caller, CustomersRead};
use super::problem::Problem;
use super::reading::{Asked, Named};
use crate::customers::{names, profiles};
use crate::engine::Catalog;
use crate::engine::explain::{Explanation, explain};
use crate::store::Published;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainQuery {
    /// The flow.
    #[param(example = "new-member-onboarding")]
    flow: String,
}

/// Explain a customer and a flow
///
/// Why the customer is in it or not, rule by rule with the values that were asked for, and what became of
/// each step. The same as `drumbeat explain --format json`.
#[utoipa::path(
    get, path = "/customers/{id}/explain", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), ExplainQuery),
    responses((status = 200, body = Explanation, description = "The explanation.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    Asked(query): Asked<ExplainQuery>,
) -> Result<Json<Explanation>, Problem> {
    let published = state.daemon.published();
    let revision = &published.revision;
    let customer = profiles::customer(&state.store, revision, &id).await?;
    let flow = names::flow(revision, &query.flow);
    let flow = flow.map_err(|unknown| Problem::not_found(unknown.to_string()))?;
    let successors = state.store.successors().await?;
    let catalog = Catalog::new(Published::clone(&published), successors);
    let now = state.clock.now();
    let explanation = explain(&state.store, &catalog, &customer, flow, now).await?;
    Ok(Json(explanation))
}
