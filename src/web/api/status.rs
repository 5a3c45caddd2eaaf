//! Owns `/status`: what runs, how far everybody is, what stands in the way.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::auth::{Caller, OperationsRead};
use super::problem::Problem;
use crate::engine::picture::Picture;
use crate::engine::status::StatusFacts;
use crate::web::state::WebState;

/// What runs
///
/// The revision, its flows with everybody in them, the channels, the last check of the files. The same as
/// `drumbeat status --format json`. Counts go through all enrollments and messages: ask once a
/// minute, not once a second.
#[utoipa::path(
    get, path = "/status", tag = "operations",
    responses((status = 200, body = StatusFacts, description = "What runs.")),
    security(("token" = ["operations:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<OperationsRead>,
) -> Result<Json<StatusFacts>, Problem> {
    let published = state.daemon.published();
    let picture = Picture::read(&state.store, &published, state.clock.now()).await?;
    Ok(Json(StatusFacts::of(&picture, &published)))
}
