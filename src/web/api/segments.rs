//! Owns `/segments`: which there are, how many customers are in one, and who; and what people add.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, DefinitionChange, Known, body_of, terms};
use super::filters;
use super::made::Created;
use super::paging::{Page, PageQuery, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Body, Named};
use super::search::{CustomersPage, in_time};
use super::segment_input::{ConditionInput, SegmentBody, SegmentPatch, counted, found};
use crate::customers::briefs::briefs;
use crate::customers::counting::{self, ConditionCount};
use crate::customers::search;
use crate::definitions::facts;
use crate::domain::definition::DefinitionKind;
use crate::domain::ids::CustomerId;
use crate::domain::segment::Condition;
use crate::store::Frame;
use crate::web::state::WebState;

const KIND: DefinitionKind = DefinitionKind::Segment;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SegmentsPage {
    segments: Vec<SegmentFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SegmentFacts {
    /// `flow:ID` for the one that a flow carries itself.
    #[schema(example = "new-members")]
    segment: String,
    #[serde(flatten)]
    body: SegmentBody,
}

impl SegmentFacts {
    fn of(facts: facts::SegmentFacts) -> Self {
        Self {
            segment: facts.name.clone(),
            body: SegmentBody::of(facts),
        }
    }
}

/// A segment, with how many customers meet its condition now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SegmentCount {
    #[serde(flatten)]
    facts: SegmentFacts,
    count: u64,
}

/// A segment to be added.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentDefinition {
    /// Unique among segments and smart lists: lower-case letters, digits, `-`, `_` and `.`.
    #[schema(example = "in-lyon", min_length = 1, max_length = 100)]
    segment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    r#where: ConditionInput,
}

/// A condition that may become a segment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CountInput {
    /// A condition of the flow language; everybody without one.
    #[serde(rename = "where")]
    #[schema(value_type = Option<Object>, example = json!({"all": [{"tag": "vip"}, {"field": "city", "is": "Lyon"}]}))]
    condition: Option<serde_json::Value>,
}

/// Segments, page by page
///
/// Those that are in force, by id; smart lists have a list of their own.
#[utoipa::path(
    get, path = "/segments", tag = "definitions", params(PageQuery),
    responses((status = 200, body = SegmentsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<SegmentsPage>, Problem> {
    let known = Known::of(&state).await?;
    let all = known.told().segments(KIND);
    let (segments, next) = paging.part_of(all, |_, one| one.name.clone())?;
    let segments = segments.into_iter().map(SegmentFacts::of).collect();
    Ok(paging.page(next, |next| SegmentsPage { segments, next }))
}

/// Add a segment
///
/// Flows and other segments can name it at once.
#[utoipa::path(
    post, path = "/segments", tag = "definitions", request_body = SegmentDefinition,
    responses((status = 201, body = DefinitionChange, description = "Added.",
        headers(("Location" = String, description = "Where the segment is.")))),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Body(input): Body<SegmentDefinition>,
) -> Result<Created<DefinitionChange>, Problem> {
    let body = body_of(&input, KIND);
    let asking = Asking::of(&state, &caller, KIND, input.segment);
    asking.add(body, DefinitionChange::of).await
}

/// A segment
///
/// With the number of customers who meet its condition now.
#[utoipa::path(
    get, path = "/segments/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The segment's id.")),
    responses((status = 200, body = SegmentCount, description = "The segment, counted.",
        headers(("ETag" = String, description = "For `If-Match` of an edit, and `If-None-Match` of another look.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let kind = known.told().kind_of(&name);
    let (facts, count) = counted(&state, &known, kind, &name).await?;
    let facts = SegmentFacts::of(facts);
    let version = version_tag(facts.body.version());
    Ok(([(ETAG, version)], Json(SegmentCount { facts, count })))
}

/// Change a segment
///
/// Flows let in whoever comes to qualify by the new condition, as after a change of a file.
#[utoipa::path(
    patch, path = "/segments/{name}", tag = "definitions", request_body = SegmentPatch,
    params(("name" = String, Path, description = "The segment's id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the segment as it was read.")),
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

/// Remove a segment
///
/// Refused while a flow, a campaign or another segment names it.
#[utoipa::path(
    delete, path = "/segments/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The segment's id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the segment as it was read.")),
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

/// The customers of a segment, page by page
///
/// Those who meet its condition now, in no particular order.
#[utoipa::path(
    get, path = "/segments/{name}/customers", tag = "customers",
    params(("name" = String, Path, description = "The segment's id."), PageQuery),
    responses((status = 200, body = CustomersPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn customers(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(name): Named,
    paging: Paging,
) -> Result<Page<CustomersPage>, Problem> {
    let after: Option<i64> = paging.after()?;
    let known = Known::of(&state).await?;
    let published = &known.published;
    let segment = found(&published.revision, &name)?;
    let (frame, after) = (known.frame(&state), after.map(CustomerId));
    let store = &state.store;
    let ids = store.customers_meeting_after(&segment.condition, &frame, after, paging.one_more());
    let mut ids = ids.await?;
    let next = paging.cut(&mut ids, |found| found.last().map(|id| id.0));
    let revision = &published.revision;
    let customers = briefs(store, revision, &ids, frame.now).await?;
    Ok(paging.page(next, |next| CustomersPage::of(customers, next)))
}

/// Count a condition
///
/// Everybody, and who is left after each of the conditions of `all` in turn; another condition is one
/// step. Counted one by one, at one moment.
#[utoipa::path(
    post, path = "/segments/count", tag = "customers", request_body = CountInput,
    responses((status = 200, body = ConditionCount, description = "The counts.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn count(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Body(input): Body<CountInput>,
) -> Result<Json<ConditionCount>, Problem> {
    let published = state.daemon.published();
    let revision = &published.revision;
    let condition = match input.condition {
        None => Condition::All(Vec::new()),
        Some(json) => {
            filters::condition(&json, "/where", revision).map_err(filters::Wrong::of_body)?
        }
    };
    let numbers = search::numbers(&state.store, &published, Some(&condition)).await?;
    let frame = Frame {
        revision,
        numbers: &numbers,
        now: state.clock.now(),
    };
    let counted = counting::in_turn(&state.store, condition, &frame);
    Ok(Json(in_time(counted).await??))
}
