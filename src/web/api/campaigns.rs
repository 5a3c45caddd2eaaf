//! Owns `/customers/{id}/campaigns` and `/customers/{id}/ahead`: what a customer qualifies for, and what is to come.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Both, Named};
use crate::customers::facts::InteractionFacts;
use crate::customers::names::UnknownName;
use crate::customers::profiles;
use crate::engine::Catalog;
use crate::engine::explain::{
    Ahead, CampaignDetail, CampaignTold, ahead, campaign_names, detail, kind_of, told,
};
use crate::store::{HistoryFilter, Published};
use crate::web::state::WebState;

/// Lines of the history beside a campaign; the others are in the history itself.
const LINES: usize = 100;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CampaignsPage {
    campaigns: Vec<CampaignTold>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A campaign and a customer: whether they qualify, by what, and what there was before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CampaignShown {
    #[serde(flatten)]
    detail: CampaignDetail,
    /// Up to 100 lines of the history that belong to the campaign, the newest first.
    interactions: Vec<InteractionFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AheadPage {
    ahead: Vec<Ahead>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// The campaigns of a customer
///
/// Every campaign and flow in the order of their ids, with whether the customer qualifies, which segments
/// make them qualify, since when, and whether they are in it now.
#[utoipa::path(
    get, path = "/customers/{id}/campaigns", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = CampaignsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<CampaignsPage>, Problem> {
    let catalog = catalog(&state).await?;
    let revision = catalog.revision();
    let customer = profiles::customer(&state.store, revision, &id).await?;
    let names = campaign_names(revision);
    let (names, next) = paging.part_of(names, |_, name| name.clone())?;
    let now = state.clock.now();
    let campaigns = told(&state.store, &catalog, &customer, &names, now).await?;
    Ok(paging.page(next, |next| CampaignsPage { campaigns, next }))
}

/// A campaign and a customer
///
/// Any campaign or flow: whether the customer qualifies, with each condition's answer; and the runs
/// before, with the steps of each, beside the lines of the history.
#[utoipa::path(
    get, path = "/customers/{id}/campaigns/{name}", tag = "customers",
    params(("id" = String, Path, description = "The unique id."),
        ("name" = String, Path, description = "A campaign or a flow.")),
    responses((status = 200, body = CampaignShown, description = "The campaign.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Both(id, name): Both,
) -> Result<Json<CampaignShown>, Problem> {
    let catalog = catalog(&state).await?;
    let revision = catalog.revision();
    let customer = profiles::customer(&state.store, revision, &id).await?;
    let now = state.clock.now();
    let asked = (name.as_str(), kind_of(revision, &name));
    let detail = detail(&state.store, &catalog, &customer, asked, now).await?;
    let detail = detail.ok_or_else(|| {
        let known = revision.campaigns.keys().chain(revision.flows.keys());
        let unknown = UnknownName::new("campaign", &name, known.map(String::as_str));
        Problem::not_found(unknown.to_string())
    })?;
    let filter = HistoryFilter {
        campaign: Some(name),
        reuses: revision.reuses(),
        ..HistoryFilter::default()
    };
    let lines = state.store.history(customer.id, &filter, LINES).await?;
    Ok(Json(CampaignShown {
        detail,
        interactions: lines.iter().map(InteractionFacts::of).collect(),
    }))
}

/// What is ahead of a customer
///
/// What will be sent and when, as things stand: the messages of all flows that the customer is in, in
/// the order of time, each with what the gate would say of it then. Where something cannot be known, it
/// says why.
#[utoipa::path(
    get, path = "/customers/{id}/ahead", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = AheadPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list_ahead(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<AheadPage>, Problem> {
    let catalog = catalog(&state).await?;
    let customer = profiles::customer(&state.store, catalog.revision(), &id).await?;
    let now = state.clock.now();
    let all = ahead(&state.store, &catalog, &customer, now).await?;
    let place = |n: usize, one: &Ahead| {
        let at = one.at.map_or(i64::MAX, jiff::Timestamp::as_microsecond);
        (at, n)
    };
    let (ahead, next) = paging.part_of(all, place)?;
    Ok(paging.page(next, |next| AheadPage { ahead, next }))
}

/// The revision that is executed, with its numbers.
async fn catalog(state: &WebState) -> Result<Arc<Catalog>, Problem> {
    let published = state.daemon.published();
    let successors = state.store.successors().await?;
    Ok(Catalog::new(Published::clone(&published), successors))
}
