//! Owns the unsubscribe link: what it gives up is what its campaign says today.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::one_click::source_of;
use super::visit::Visit;
use crate::domain::link::LinkKind;
use crate::domain::subscription::SubscriptionState;
use crate::web::error::Error;
use crate::web::page::{Frame, html};
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "hooks/unsubscribe.html")]
struct UnsubscribePage<'a> {
    frame: &'a Frame,
    messages: String,
    done: bool,
    goes_on: String,
    preferences: String,
}

/// `GET /u/{token}` shows what would be given up; mail scanners follow links, so it changes nothing.
pub(in crate::web) async fn show(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let visit = Visit::open(&state, LinkKind::Unsubscribe, &token, &headers).await?;
    let scope = visit.origin.gives_up();
    let records = visit.records(&state).await?;
    let done = records.iter().any(|record| {
        record.state == SubscriptionState::Unsubscribed && scope.is_within(&record.scope)
    });
    page(&state, &visit, done)
}

/// `POST /u/{token}` gives it up, by the page's button or by one click; a repeat changes nothing.
pub(in crate::web) async fn act(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let opened = Visit::open(&state, LinkKind::Unsubscribe, &token, request.headers()).await;
    let visit = match opened {
        Ok(visit) => visit,
        Err(error) => return error.into_response(),
    };
    match source_of(request).await {
        Ok(source) => {
            let (scope, by) = (visit.origin.gives_up(), visit.by(source));
            let now = state.clock.now();
            let given_up = state.store.unsubscribe(visit.customer.id, &scope, &by, now);
            given_up
                .await
                .map_err(Error::from)
                .and_then(|_| page(&state, &visit, true))
                .into_response()
        }
        Err(unreadable) => unreadable,
    }
}

fn page(state: &WebState, visit: &Visit, done: bool) -> Result<Response, Error> {
    html(&UnsubscribePage {
        frame: &visit.frame,
        messages: visit.say(&visit.origin.gives_up()),
        done,
        goes_on: visit.goes_on(),
        preferences: visit.preferences(state),
    })
}
