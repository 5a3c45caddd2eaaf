//! Owns `/hooks/CHANNEL/…`: a gateway's own requests, which it is answered only when they are stored.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::channels::{HookError, HookRequest};
use crate::domain::channel::Channel;
use crate::web::door::Peer;
use crate::web::state::WebState;

/// Whoever is told to come back does so after this many seconds.
const LATER: &str = "30";

/// What a gateway tells: 204 when it is stored, 503 when it is not, so that it is told again.
pub(crate) async fn told(
    State(state): State<Arc<WebState>>,
    Path((channel, _)): Path<(String, String)>,
    peer: Option<Extension<Peer>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(channel) = Channel::parse(&channel) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(teller) = state.daemon.teller(channel) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(hook) = teller.gateway.hook() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let prefix = format!("/hooks/{channel}/");
    let path = uri.path().strip_prefix(&prefix).unwrap_or_default();
    let around = uri.path_and_query().map_or("", |whole| whole.as_str());
    let url = format!("{}{around}", teller.public_url);
    let headers = named(&headers);
    let request = HookRequest {
        method: method.as_str(),
        url: &url,
        path,
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        at: state.clock.machine(),
    };
    let news = match hook.read(&request) {
        Ok(news) => news,
        Err(error) => {
            let peer = peer.map(|Extension(peer)| peer);
            return refused(&state, channel, &error, peer);
        }
    };
    if news.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    match teller.ear.hear(news).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(%channel, %error, "a gateway is asked to tell again");
            let later = [(RETRY_AFTER, LATER)];
            (StatusCode::SERVICE_UNAVAILABLE, later).into_response()
        }
    }
}

/// Whatever is no text is left out: no gateway signs it.
fn named(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    texts.collect()
}

fn refused(state: &WebState, channel: Channel, error: &HookError, peer: Option<Peer>) -> Response {
    if let Err(seconds) = state.misses.count(peer, state.clock.machine()) {
        let after = [(RETRY_AFTER, seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, after).into_response();
    }
    tracing::warn!(%channel, %error, "a request to a hook is refused");
    let status = match error {
        HookError::Unsigned(_) => StatusCode::FORBIDDEN,
        HookError::Unreadable(_) => StatusCode::BAD_REQUEST,
        HookError::Unknown => StatusCode::NOT_FOUND,
    };
    status.into_response()
}
