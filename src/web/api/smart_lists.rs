//! Owns `/smart-lists`: saved conditions that people look at by themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, DefinitionChange, Known, body_of, terms};
use super::made::Created;
use super::paging::{Page, PageQuery, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Body, Named};
use super::segment_input::{ConditionInput, SegmentBody, SegmentPatch, counted};
use crate::definitions::facts::SegmentFacts;
use crate::domain::definition::DefinitionKind;
use crate::web::state::WebState;

const KIND: DefinitionKind = DefinitionKind::SmartList;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SmartListsPage {
    smart_lists: Vec<SmartListFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SmartListFacts {
    #[schema(example = "in-lyon")]
    name: String,
    #[serde(flatten)]
    body: SegmentBody,
}

impl SmartListFacts {
    fn of(facts: SegmentFacts) -> Self {
        Self {
            name: facts.name.clone(),
            body: SegmentBody::of(facts),
        }
    }
}

/// A smart list, with the number of customers who meet its condition now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SmartListCount {
    #[serde(flatten)]
    facts: SmartListFacts,
    count: u64,
}

/// A smart list to be added.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SmartListDefinition {
    /// Unique among segments and smart lists: lower-case letters, digits, `-`, `_` and `.`.
    #[schema(example = "in-lyon", min_length = 1, max_length = 100)]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    r#where: ConditionInput,
}

/// Smart lists, page by page
///
/// By name. Their customers are at `/segments/{name}/customers`, and `segment:` in a condition may name one.
#[utoipa::path(
    get, path = "/smart-lists", tag = "definitions", params(PageQuery),
    responses((status = 200, body = SmartListsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<SmartListsPage>, Problem> {
    let known = Known::of(&state).await?;
    let all = known.told().segments(KIND);
    let (lists, next) = paging.part_of(all, |_, one| one.name.clone())?;
    let smart_lists = lists.into_iter().map(SmartListFacts::of).collect();
    Ok(paging.page(next, |next| SmartListsPage { smart_lists, next }))
}

/// Add a smart list
///
/// Segments and flows can name it at once.
#[utoipa::path(
    post, path = "/smart-lists", tag = "definitions", request_body = SmartListDefinition,
    responses((status = 201, body = DefinitionChange, description = "Added.",
        headers(("Location" = String, description = "Where the smart list is.")))),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Body(input): Body<SmartListDefinition>,
) -> Result<Created<DefinitionChange>, Problem> {
    let body = body_of(&input, KIND);
    let asking = Asking::of(&state, &caller, KIND, input.name);
    asking.add(body, DefinitionChange::of).await
}

/// A smart list
///
/// With the number of customers who meet its condition now.
#[utoipa::path(
    get, path = "/smart-lists/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The smart list's name.")),
    responses((status = 200, body = SmartListCount, description = "The smart list, counted.",
        headers(("ETag" = String, description = "For `If-Match` of an edit, and `If-None-Match` of another look.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let (facts, count) = counted(&state, &known, KIND, &name).await?;
    let facts = SmartListFacts::of(facts);
    let version = version_tag(facts.body.version());
    Ok(([(ETAG, version)], Json(SmartListCount { facts, count })))
}

/// Change a smart list
///
/// Flows that name it let in whoever comes to qualify, as after a change of a file.
#[utoipa::path(
    patch, path = "/smart-lists/{name}", tag = "definitions", request_body = SegmentPatch,
    params(("name" = String, Path, description = "The smart list's name."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the list as it was read.")),
    responses((status = 200, body = DefinitionChange, description = "Changed.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    condition: IfVersion,
    Body(patch): Body<SegmentPatch>,
) -> Result<Json<DefinitionChange>, Problem> {
    let (body, terms) = (patch.body(), terms(&condition));
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.edit(body, terms, DefinitionChange::of).await
}

/// Remove a smart list
///
/// Refused while a flow or a segment names it.
#[utoipa::path(
    delete, path = "/smart-lists/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The smart list's name."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the list as it was read.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    condition: IfVersion,
) -> Result<StatusCode, Problem> {
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.remove(terms(&condition)).await
}
