//! Owns `/tags`: which there are, who carries them, and what people add.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json_};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, DefinitionChange, Given, Known, body_of, terms};
use super::made::Created;
use super::paging::{Page, PageQuery, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use crate::definitions::change::Terms;
use crate::definitions::facts::TagFacts;
use crate::domain::definition::DefinitionKind;
use crate::web::state::WebState;

const KIND: DefinitionKind = DefinitionKind::Tag;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TagsPage {
    tags: Vec<TagFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A tag to be added.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagDefinition {
    #[schema(example = "vip", min_length = 1, max_length = 100)]
    tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// `#rrggbb`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#7a1fa2", pattern = "^#[0-9a-fA-F]{6}$")]
    color: Option<String>,
}

/// What is to change of a tag; null takes a key away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    /// `#rrggbb`
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "#7a1fa2")]
    color: Given<String>,
}

impl TagPatch {
    fn body(&self) -> Map<String, Json_> {
        let mut body = Map::new();
        self.description.put("description", &mut body);
        self.color.put("color", &mut body);
        body
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub(super) struct RemovalQuery {
    /// Takes it from those who carry it; without it a tag that somebody carries is not removed.
    remove_from_customers: Option<bool>,
}

/// Tags, page by page
///
/// Those that may be put on customers, by name, with how many carry each.
#[utoipa::path(
    get, path = "/tags", tag = "definitions", params(PageQuery),
    responses((status = 200, body = TagsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<TagsPage>, Problem> {
    let known = Known::of(&state).await?;
    let counts = state.store.tag_counts().await?;
    let all = known.told().tags(&counts);
    let (tags, next) = paging.part_of(all, |_, tag| tag.tag.clone())?;
    Ok(paging.page(next, |next| TagsPage { tags, next }))
}

/// Add a tag
///
/// It is known at once on all nodes.
#[utoipa::path(
    post, path = "/tags", tag = "definitions", request_body = TagDefinition,
    responses((status = 201, body = DefinitionChange, description = "Added.",
        headers(("Location" = String, description = "Where the tag is.")))),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Body(input): Body<TagDefinition>,
) -> Result<Created<DefinitionChange>, Problem> {
    let body = body_of(&input, KIND);
    let asking = Asking::of(&state, &caller, KIND, input.tag);
    asking.add(body, DefinitionChange::of).await
}

/// A tag
///
/// With how many customers carry it.
#[utoipa::path(
    get, path = "/tags/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The tag's name.")),
    responses((status = 200, body = TagFacts, description = "The tag.",
        headers(("ETag" = String, description = "For `If-Match` of an edit, and `If-None-Match` of another look.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let counts = state.store.tag_counts().await?;
    let mut tags = known.told().tags(&counts).into_iter();
    let tag = tags.find(|tag| tag.tag == name);
    let tag = tag.ok_or_else(|| Problem::not_found(format!("there is no tag `{name}`")))?;
    Ok(([(ETAG, version_tag(tag.made.version))], Json(tag)))
}

/// Change a tag
///
/// Its description and its colour; customers keep it.
#[utoipa::path(
    patch, path = "/tags/{name}", tag = "definitions", request_body = TagPatch,
    params(("name" = String, Path, description = "The tag's name."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the tag as it was read.")),
    responses((status = 200, body = DefinitionChange, description = "Changed.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    condition: IfVersion,
    Body(patch): Body<TagPatch>,
) -> Result<Json<DefinitionChange>, Problem> {
    let (body, terms) = (patch.body(), terms(&condition));
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.edit(body, terms, DefinitionChange::of).await
}

/// Remove a tag
///
/// Refused while customers carry it, unless it is to be taken from them, and while a segment asks for it.
#[utoipa::path(
    delete, path = "/tags/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The tag's name."), RemovalQuery,
        ("If-Match" = Option<String>, Header, description = "The entity tag of the tag as it was read.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    Asked(query): Asked<RemovalQuery>,
    condition: IfVersion,
) -> Result<StatusCode, Problem> {
    let terms = Terms {
        erases: query.remove_from_customers.unwrap_or(false),
        ..terms(&condition)
    };
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.remove(terms).await
}
