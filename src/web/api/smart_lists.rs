//! Owns `/smart-lists`: saved conditions that people look at by themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, Known, body_of, terms};
use super::paging::{Page, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use super::segment_input::{
    ConditionInput, DefinitionChange, ListQuery, SegmentBody, SegmentPatch, address,
};
use crate::definitions::change::{Terms, What};
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
    get, path = "/smart-lists", tag = "definitions", params(ListQuery),
    responses((status = 200, body = SmartListsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<ListQuery>,
) -> Result<Page<SmartListsPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor)?;
    let after: Option<String> = paging.after()?;
    let known = Known::of(&state).await?;
    let mut lists = known.told().segments(KIND);
    lists.retain(|list| after.as_ref().is_none_or(|after| list.name > *after));
    lists.truncate(usize::try_from(paging.one_more()).unwrap_or(usize::MAX));
    let next = paging.cut(&mut lists, |all| all.last().map(|list| list.name.clone()));
    let link = next.clone();
    let smart_lists = lists.into_iter().map(|facts| SmartListFacts {
        name: facts.name.clone(),
        body: SegmentBody::of(facts),
    });
    let page = SmartListsPage {
        smart_lists: smart_lists.collect(),
        next,
    };
    Ok(paging.page(page, link.as_deref()))
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
) -> Result<impl IntoResponse, Problem> {
    let (body, name) = (body_of(&input, KIND), input.name);
    let location = address("smart-lists", &name);
    let asking = asking(&state, &caller, &name);
    let done = asking.make(What::Add(body), Terms::default()).await?;
    let change = Json(DefinitionChange::of(name, &done));
    Ok((StatusCode::CREATED, [(LOCATION, location)], change))
}

/// A smart list
///
/// With the number of customers who meet its condition now.
#[utoipa::path(
    get, path = "/smart-lists/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The smart list's name.")),
    responses((status = 200, body = SmartListCount, description = "The smart list, counted.",
        headers(("ETag" = String, description = "For `If-Match` of an edit.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let unknown = || Problem::not_found(format!("there is no smart list `{name}`"));
    let facts = known.told().segment(KIND, &name).ok_or_else(unknown)?;
    let segments = &known.published.revision.segments;
    let segment = segments.get(&name).ok_or_else(unknown)?;
    let frame = known.frame(&state);
    let count = state
        .store
        .segment_count(&segment.condition, &frame)
        .await?;
    let body = SegmentBody::of(facts);
    let version = version_tag(body.version());
    let facts = SmartListFacts { name, body };
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
    let asking = asking(&state, &caller, &name);
    let done = asking.make(What::Edit(patch.body()), terms(&condition));
    Ok(Json(DefinitionChange::of(name, &done.await?)))
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
    let asking = asking(&state, &caller, &name);
    asking.make(What::Remove, terms(&condition)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn asking<'a>(state: &'a WebState, caller: &Caller<DefinitionsWrite>, name: &str) -> Asking<'a> {
    Asking {
        state,
        by: caller.by(),
        kind: KIND,
        name: name.to_owned(),
    }
}
