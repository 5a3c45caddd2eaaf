//! Owns `/customers/{id}/notes`: what people write down about a customer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::problem::Problem;
use super::reading::{Body, Named, Numbered};
use crate::customers::facts::NoteFacts;
use crate::customers::notes;
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Notes {
    /// The newest first.
    notes: Vec<NoteFacts>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteInput {
    #[schema(
        example = "called about the gold card",
        min_length = 1,
        max_length = 10000
    )]
    body: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteAdded {
    /// Its number among the customer's notes.
    note: i64,
}

/// Notes on a customer
///
/// What people wrote down, the newest first.
#[utoipa::path(
    get, path = "/customers/{id}/notes", tag = "customers",
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 200, body = Notes, description = "All of them.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(customer): Named,
) -> Result<Json<Notes>, Problem> {
    let notes = notes::list(&state.store, &customer).await?;
    let notes = notes.iter().map(NoteFacts::of).collect();
    Ok(Json(Notes { notes }))
}

/// Write a note down
///
/// With the time and the name of the token.
#[utoipa::path(
    post, path = "/customers/{id}/notes", tag = "customers", request_body = NoteInput,
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 201, body = NoteAdded, description = "Written down.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<NoteInput>,
) -> Result<(StatusCode, Json<NoteAdded>), Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    let note = notes::add(&state.store, &customer, &input.body, &by, at).await?;
    Ok((StatusCode::CREATED, Json(NoteAdded { note })))
}

/// Remove a note
///
/// The history keeps that there was one, and not what it said.
#[utoipa::path(
    delete, path = "/customers/{id}/notes/{number}", tag = "customers",
    params(("id" = String, Path, description = "The unique id."),
        ("number" = i64, Path, description = "The note's number.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Numbered(customer, number): Numbered,
) -> Result<StatusCode, Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    if notes::remove(&state.store, &customer, number, &by, at).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("`{customer}` has no note {number}");
    Err(Problem::not_found(detail))
}
