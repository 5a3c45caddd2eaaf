//! Owns `/customers/{id}/notes`: what people write down about a customer.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named, Numbered};
use crate::customers::facts::NoteFacts;
use crate::customers::notes;
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotesPage {
    /// The newest first.
    notes: Vec<NoteFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
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

/// Notes on a customer, page by page
///
/// What people wrote down, the newest first.
#[utoipa::path(
    get, path = "/customers/{id}/notes", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = NotesPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(customer): Named,
    paging: Paging,
) -> Result<Page<NotesPage>, Problem> {
    let all = notes::list(&state.store, &customer).await?;
    let (notes, next) = paging.part_of(all, |_, note| Reverse((note.at, note.number)))?;
    let notes = notes.iter().map(NoteFacts::of).collect();
    Ok(paging.page(next, |next| NotesPage { notes, next }))
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
    note: Numbered,
) -> Result<StatusCode, Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    let was_there = notes::remove(&state.store, &note.of, note.number, &by, at).await?;
    note.done("note", was_there)
}
