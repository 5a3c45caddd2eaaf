//! Owns `/customers/{id}/messages`: one communication, sent now because a person says so.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersWrite};
use super::problem::{FieldError, Problem};
use super::reading::{Body, Named};
use crate::customers::{names, profiles};
use crate::engine::Catalog;
use crate::engine::by_hand;
use crate::store::Published;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageInput {
    /// The campaign and its communication.
    #[schema(example = "gold-card/offer")]
    communication: String,
}

/// Send a message now
///
/// A communication of a campaign, to this one customer, through the same gate as every step of a flow:
/// switches, subscriptions, consent and caps are asked, and quiet hours hold it. What becomes of it stands in
/// the history.
#[utoipa::path(
    post, path = "/customers/{id}/messages", tag = "customers", request_body = MessageInput,
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 202, body = by_hand::Asked, description = "It is on its way to the gate.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn send(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(id): Named,
    Body(input): Body<MessageInput>,
) -> Result<(StatusCode, Json<by_hand::Asked>), Problem> {
    let published = state.daemon.published();
    let revision = &published.revision;
    let sends = names::communication(revision, &input.communication).map_err(|unknown| {
        let error = FieldError::new("/communication", unknown.to_string());
        Problem::invalid(vec![error])
    })?;
    let customer = profiles::customer(&state.store, revision, &id).await?;
    let catalog = Catalog::new(Published::clone(&published), Vec::new());
    let at = (&caller.by(), state.clock.now());
    let asked = by_hand::send(&state.store, &catalog, &customer, &sends, at).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}
