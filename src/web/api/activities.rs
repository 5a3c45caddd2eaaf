//! Owns what the history of a customer comes to: messages, items, transactions, sums.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Asked, Named};
use crate::customers::facts::TotalsFacts;
use crate::customers::messages::{MessageFacts, messages};
use crate::customers::transactions::{
    ItemFacts, TransactionFacts, TransactionTotal, items, transactions,
};
use crate::customers::{profiles, sums};
use crate::domain::channel::Channel;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesQuery {
    /// The medium.
    #[param(inline)]
    channel: Option<Channel>,
    /// How many messages are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessagesPage {
    messages: Vec<MessageFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemsPage {
    items: Vec<ItemFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransactionsPage {
    transactions: Vec<TransactionFacts>,
    /// The sums of all of them, not of this page alone.
    totals: Vec<TransactionTotal>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// What was sent to a customer
///
/// The messages that gateways took, the newest first, each with the last thing that became of it: only
/// sent, delivered, bounced, opened, clicked.
#[utoipa::path(
    get, path = "/customers/{id}/messages", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), MessagesQuery),
    responses((status = 200, body = MessagesPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list_messages(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Named(id): Named,
    Asked(query): Asked<MessagesQuery>,
) -> Result<Page<MessagesPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor)?;
    let published = state.daemon.published();
    let all = messages(&state.store, &published.revision, &id, query.channel).await?;
    let (messages, next) = paging.part_of(all, |_, one| one.place())?;
    Ok(paging.page(next, |next| MessagesPage { messages, next }))
}

/// The items that a customer had to do with
///
/// Products and other things that they looked at or bought, the last touched first.
#[utoipa::path(
    get, path = "/customers/{id}/items", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = ItemsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list_items(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<ItemsPage>, Problem> {
    let all = items(&state.store, &id).await?;
    let (items, next) = paging.part_of(all, |_, one| one.place())?;
    Ok(paging.page(next, |next| ItemsPage { items, next }))
}

/// The transactions of a customer
///
/// Who bought what, when, where and why, the newest first, with the sums by currency.
#[utoipa::path(
    get, path = "/customers/{id}/transactions", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = TransactionsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list_transactions(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<TransactionsPage>, Problem> {
    let (all, totals) = transactions(&state.store, &id).await?;
    // Counted from the oldest: those that come meanwhile move nobody's place.
    let count = all.len();
    let (transactions, next) = paging.part_of(all, |n, one| {
        (Reverse(one.at.as_microsecond()), Reverse(count - n))
    })?;
    Ok(paging.page(next, |next| TransactionsPage {
        transactions,
        totals,
        next,
    }))
}

/// The sums of a customer's history
///
/// By channel what was sent and what became of it, what the customer did, and the conversions that came
/// of it.
#[utoipa::path(
    get, path = "/customers/{id}/totals", tag = "customers",
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 200, body = TotalsFacts, description = "The sums.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show_totals(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
) -> Result<Json<TotalsFacts>, Problem> {
    let published = state.daemon.published();
    let id = profiles::id_of(&state.store, &id).await?;
    let totals = sums::totals(&state.store, &published.revision, id).await?;
    Ok(Json(TotalsFacts::of(&totals)))
}
