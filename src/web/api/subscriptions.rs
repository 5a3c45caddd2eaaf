//! Owns what a customer gives up and takes back: `/customers/{id}/subscriptions` and `…/dismissals`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::customers::facts::{self, SubscriptionFacts};
use crate::customers::{profiles, subscriptions};
use crate::domain::channel::Channel;
use crate::domain::subscription::Scope;
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubscriptionsPage {
    subscriptions: Vec<SubscriptionFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Unsubscribe,
    Resubscribe,
}

/// Which messages are given up or taken back: every dimension that is given narrows it, none means
/// everything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriptionInput {
    action: Action,
    /// A campaign or a flow.
    campaign: Option<String>,
    #[schema(example = "credit-cards")]
    category: Option<String>,
    group: Option<String>,
    channel: Option<Channel>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubscriptionChange {
    /// The customer's unique id.
    #[schema(example = "ana")]
    customer: String,
    scope: Scope,
    /// Whether it was different before.
    changed: bool,
    /// The records that were taken back: those equal to the scope or within it.
    #[serde(skip_serializing_if = "Option::is_none")]
    resubscribed: Option<Vec<Scope>>,
    /// Broader records, which stand and still block.
    #[serde(skip_serializing_if = "Option::is_none")]
    still_blocked_by: Option<Vec<Scope>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DismissalInput {
    /// A campaign or a flow.
    #[schema(example = "gold-card")]
    campaign: String,
    /// Lets the campaign write again.
    #[serde(default)]
    withdraw: bool,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DismissalChange {
    /// The customer's unique id.
    #[schema(example = "ana")]
    customer: String,
    #[schema(example = "gold-card")]
    campaign: String,
    dismissed: bool,
    /// Whether it was different before.
    changed: bool,
}

/// A customer's subscriptions, page by page
///
/// The records of giving up and taking back, the oldest first, each with who made it.
#[utoipa::path(
    get, path = "/customers/{id}/subscriptions", tag = "consent",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = SubscriptionsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<SubscriptionsPage>, Problem> {
    let id = profiles::id_of(&state.store, &id).await?;
    let records = state.store.subscriptions_of(&[id]).await?.remove(&id);
    // Records change where they stand, and new ones come last.
    let (records, next) = paging.part_of(records.unwrap_or_default(), |n, _| n)?;
    let subscriptions = records.iter().map(facts::subscription).collect();
    Ok(paging.page(next, |next| SubscriptionsPage {
        subscriptions,
        next,
    }))
}

/// Unsubscribe or resubscribe
///
/// For the customer, who said so. Nothing that is claimed afterwards is sent to somebody who
/// unsubscribed before.
#[utoipa::path(
    post, path = "/customers/{id}/subscriptions", tag = "consent",
    params(("id" = String, Path, description = "The unique id.")), request_body = SubscriptionInput,
    responses((status = 200, body = SubscriptionChange, description = "Recorded, or so already.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<SubscriptionInput>,
) -> Result<Json<SubscriptionChange>, Problem> {
    let published = state.daemon.published();
    let (store, revision) = (&state.store, &published.revision);
    let (by, at) = (caller.by(), state.clock.now());
    let scope = Scope {
        campaign: input.campaign,
        category: input.category,
        group: input.group,
        channel: input.channel,
    };
    let change = match input.action {
        Action::Unsubscribe => {
            let done = subscriptions::unsubscribe(store, revision, &customer, &scope, &by, at);
            SubscriptionChange {
                changed: done.await?,
                customer,
                scope,
                resubscribed: None,
                still_blocked_by: None,
            }
        }
        Action::Resubscribe => {
            let done = subscriptions::resubscribe(store, revision, &customer, &scope, &by, at);
            let answer = done.await?;
            SubscriptionChange {
                changed: !answer.flips.is_empty(),
                customer,
                scope,
                resubscribed: Some(answer.flips),
                still_blocked_by: Some(answer.still_blocked_by),
            }
        }
    };
    Ok(Json(change))
}

/// Dismiss a campaign
///
/// "Not interested": stops one campaign and ends its live run. It is no opt-out.
#[utoipa::path(
    post, path = "/customers/{id}/dismissals", tag = "consent",
    params(("id" = String, Path, description = "The unique id.")), request_body = DismissalInput,
    responses((status = 200, body = DismissalChange, description = "Recorded, or so already.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn dismiss(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<DismissalInput>,
) -> Result<Json<DismissalChange>, Problem> {
    let published = state.daemon.published();
    let (store, revision) = (&state.store, &published.revision);
    let (by, at, campaign) = (caller.by(), state.clock.now(), input.campaign);
    let changed = if input.withdraw {
        subscriptions::withdraw_dismissal(store, revision, &customer, &campaign, &by, at).await?
    } else {
        subscriptions::dismiss(store, revision, &customer, &campaign, &by, at).await?
    };
    Ok(Json(DismissalChange {
        customer,
        campaign,
        dismissed: !input.withdraw,
        changed,
    }))
}
