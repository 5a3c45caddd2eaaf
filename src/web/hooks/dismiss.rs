//! Owns the "not interested" link: it stops one campaign, and is not an opt-out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::visit::Visit;
use super::wording::campaign_name;
use crate::domain::audit::Source;
use crate::domain::link::LinkKind;
use crate::web::error::Error;
use crate::web::page::{Frame, html};
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "hooks/dismiss.html")]
struct DismissPage<'a> {
    frame: &'a Frame,
    campaign: &'a str,
    done: bool,
    preferences: String,
}

/// `GET /d/{token}` asks whether the campaign is of no interest; it changes nothing.
pub(in crate::web) async fn show(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let visit = open(&state, &token, &headers).await?;
    let customer = visit.customer.id;
    let dismissals = state.store.dismissals_of(&[customer]).await?;
    let mut dismissals = dismissals.get(&customer).into_iter().flatten();
    let done = dismissals.any(|dismissal| dismissal.campaign == visit.origin.campaign);
    page(&state, &visit, done)
}

/// `POST /d/{token}` dismisses the campaign; a repeat changes nothing.
pub(in crate::web) async fn act(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let visit = open(&state, &token, &headers).await?;
    let (campaign, by) = (&visit.origin.campaign, visit.by(Source::Link));
    let now = state.clock.now();
    let dismissed = state.store.dismiss(visit.customer.id, campaign, &by, now);
    dismissed.await?;
    page(&state, &visit, true)
}

/// Only what may be dismissed today can be.
async fn open(state: &WebState, token: &str, headers: &HeaderMap) -> Result<Visit, Error> {
    let visit = Visit::open(state, LinkKind::Dismiss, token, headers).await?;
    let dismissable = visit.origin.dismissable.then_some(visit);
    dismissable.ok_or(Error::NoSuchLink)
}

fn page(state: &WebState, visit: &Visit, done: bool) -> Result<Response, Error> {
    html(&DismissPage {
        frame: &visit.frame,
        campaign: campaign_name(&visit.origin.campaign, &visit.published.revision),
        done,
        preferences: visit.preferences(state),
    })
}
