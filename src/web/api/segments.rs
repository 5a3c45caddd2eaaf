//! Owns `/segments`: which there are, how many customers are in one, and who.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, DefinitionsRead};
use super::customers::{CustomersPage, last, page};
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::reading::{Asked, Named};
use crate::customers::names;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::domain::segment::Segment;
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
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
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
    let model = &published.revision.data_model;
    let mut customers = store.customers(&ids.await?, model).await?;
    let next = paging.cut(&mut customers, |found| last(found, |c| c.id.0));
    Ok(page(&paging, &customers, next))
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
