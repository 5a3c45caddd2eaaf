//! Owns `/segments`: which there are, how many customers are in one, and who; and what people add.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, Known, body_of, terms};
use super::filters;
use super::paging::{Page, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use super::search::{CustomersPage, in_time};
use super::segment_input::{
    ConditionInput, DefinitionChange, ListQuery, SegmentBody, SegmentPatch, address,
};
use crate::customers::briefs::briefs;
use crate::customers::counting::{self, ConditionCount};
use crate::customers::names;
use crate::customers::search;
use crate::definitions::change::{Terms, What};
use crate::domain::definition::DefinitionKind;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::domain::segment::{Condition, Segment};
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

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MembersQuery {
    /// How many customers are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
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
    get, path = "/segments", tag = "definitions", params(ListQuery),
    responses((status = 200, body = SegmentsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<ListQuery>,
) -> Result<Page<SegmentsPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor)?;
    let after: Option<String> = paging.after()?;
    let known = Known::of(&state).await?;
    let mut segments = known.told().segments(KIND);
    segments.retain(|segment| after.as_ref().is_none_or(|after| segment.name > *after));
    segments.truncate(usize::try_from(paging.one_more()).unwrap_or(usize::MAX));
    let next = paging.cut(&mut segments, |all| all.last().map(|one| one.name.clone()));
    let link = next.clone();
    let segments = segments.into_iter().map(|facts| SegmentFacts {
        segment: facts.name.clone(),
        body: SegmentBody::of(facts),
    });
    let page = SegmentsPage {
        segments: segments.collect(),
        next,
    };
    Ok(paging.page(page, link.as_deref()))
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
) -> Result<impl IntoResponse, Problem> {
    let (body, name) = (body_of(&input, KIND), input.segment);
    let location = address("segments", &name);
    let asking = asking(&state, &caller, &name);
    let done = asking.make(What::Add(body), Terms::default()).await?;
    let change = Json(DefinitionChange::of(name, &done));
    Ok((StatusCode::CREATED, [(LOCATION, location)], change))
}

/// A segment
///
/// With the number of customers who meet its condition now.
#[utoipa::path(
    get, path = "/segments/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The segment's id.")),
    responses((status = 200, body = SegmentCount, description = "The segment, counted.",
        headers(("ETag" = String, description = "For `If-Match` of an edit.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let segment = found(&known.published.revision, &name)?;
    let told = known.told();
    let facts = told.segment(told.kind_of(&name), &name);
    let facts = facts.ok_or_else(|| Problem::not_found(format!("there is no segment `{name}`")))?;
    let frame = known.frame(&state);
    let count = state
        .store
        .segment_count(&segment.condition, &frame)
        .await?;
    let body = SegmentBody::of(facts);
    let version = version_tag(body.version());
    let facts = SegmentFacts {
        segment: name,
        body,
    };
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
    let asking = asking(&state, &caller, &name);
    let done = asking.make(What::Edit(patch.body()), terms(&condition));
    Ok(Json(DefinitionChange::of(name, &done.await?)))
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

/// The customers of a segment, page by page
///
/// Those who meet its condition now, in no particular order.
#[utoipa::path(
    get, path = "/segments/{name}/customers", tag = "customers",
    params(("name" = String, Path, description = "The segment's id."), MembersQuery),
    responses((status = 200, body = CustomersPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn customers(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Named(name): Named,
    Asked(query): Asked<MembersQuery>,
) -> Result<Page<CustomersPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor)?;
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
    let body = CustomersPage::of(customers, next.clone());
    Ok(paging.page(body, next.as_deref()))
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

fn found<'a>(revision: &'a Revision, name: &str) -> Result<&'a Segment, Problem> {
    let segment = names::segment(revision, name);
    segment.map_err(|unknown| Problem::not_found(unknown.to_string()))
}
