//! Owns `/segments`: which there are, how many customers are in one, and who.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, DefinitionsRead};
use super::filters;
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use super::search::{CustomersPage, in_time};
use crate::customers::counting::{self, ConditionCount};
use crate::customers::facts::CustomerBrief;
use crate::customers::names;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::domain::segment::{Condition, Segment};
use crate::domain::segment_words::words;
use crate::store::{Frame, Published};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Segments {
    segments: Vec<SegmentFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SegmentFacts {
    /// `flow:ID` for the one that a flow carries itself.
    #[schema(example = "new-members")]
    segment: String,
    description: Option<String>,
    /// Its condition in words.
    words: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SegmentCount {
    #[schema(example = "new-members")]
    segment: String,
    description: Option<String>,
    /// Its condition in words.
    words: String,
    /// How many customers meet it now.
    count: u64,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MembersQuery {
    /// How many customers are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
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

/// Segments
///
/// All that the current revision has, by id.
#[utoipa::path(
    get, path = "/segments", tag = "definitions",
    responses((status = 200, body = Segments, description = "All segments.")),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
) -> Json<Segments> {
    let published = state.daemon.published();
    let model = &published.revision.data_model;
    let segments = published.revision.segments.values();
    Json(Segments {
        segments: segments
            .map(|segment| SegmentFacts {
                segment: segment.id.clone(),
                description: segment.description.clone(),
                words: words(&segment.condition, model),
            })
            .collect(),
    })
}

/// A segment
///
/// With the number of customers who meet its condition now.
#[utoipa::path(
    get, path = "/segments/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The segment's id.")),
    responses((status = 200, body = SegmentCount, description = "The segment, counted.")),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<Json<SegmentCount>, Problem> {
    let published = state.daemon.published();
    let segment = found(&published.revision, &name)?;
    let frame = frame(&published, &state);
    let count = state
        .store
        .segment_count(&segment.condition, &frame)
        .await?;
    Ok(Json(SegmentCount {
        segment: segment.id.clone(),
        description: segment.description.clone(),
        words: words(&segment.condition, &published.revision.data_model),
        count,
    }))
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
    let published = state.daemon.published();
    let segment = found(&published.revision, &name)?;
    let (frame, after) = (frame(&published, &state), after.map(CustomerId));
    let store = &state.store;
    let ids = store.customers_meeting_after(&segment.condition, &frame, after, paging.one_more());
    let mut ids = ids.await?;
    let next = paging.cut(&mut ids, |found| found.last().map(|id| id.0));
    let revision = &published.revision;
    let customers = store.customers(&ids, &revision.data_model).await?;
    let customers = customers.iter();
    let customers = customers.map(|customer| CustomerBrief::of(customer, revision, frame.now));
    let body = CustomersPage::of(customers.collect(), next.clone());
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
    let frame = frame(&published, &state);
    let counted = counting::in_turn(&state.store, condition, &frame);
    Ok(Json(in_time(counted).await??))
}

fn found<'a>(revision: &'a Revision, name: &str) -> Result<&'a Segment, Problem> {
    let segment = names::segment(revision, name);
    segment.map_err(|unknown| Problem::not_found(unknown.to_string()))
}

fn frame<'a>(published: &'a Published, state: &WebState) -> Frame<'a> {
    Frame {
        revision: &published.revision,
        numbers: &published.numbers,
        now: state.clock.now(),
    }
}
