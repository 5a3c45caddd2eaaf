//! Owns which address leads where, and what every request passes on its way.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::api;
use super::error::caught;
use super::headers::harden;
use super::hooks::{dismiss, gateway, preferences, seen, unsubscribe};
use super::page::dress_failures;
use super::probes;
use super::site;
use super::state::WebState;

/// No form of ours and no one-click request comes near it.
const BODY_LIMIT: usize = 64 * 1024;
/// More than the store waits for a lock; after it a person is better told to come back.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn router(state: Arc<WebState>) -> Router {
    pages(&state)
        .merge(gateways())
        .merge(probes())
        .merge(site::router())
        .nest("/api", api::router(&state))
        .route("/api/", any(api::lost))
        .layer(map_response(harden))
        .with_state(state)
}

fn pages(state: &Arc<WebState>) -> Router<Arc<WebState>> {
    Router::new()
        .route("/u/{token}", get(unsubscribe::show).post(unsubscribe::act))
        .route("/p/{token}", get(preferences::show).post(preferences::act))
        .route("/d/{token}", get(dismiss::show).post(dismiss::act))
        .route("/o/{token}", get(seen::opened))
        .route("/c/{token}", get(seen::followed))
        .route("/style.css", get(style))
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(caught))
        .layer(from_fn_with_state(Arc::clone(state), dress_failures))
}

/// Programs read the answers, so no page is made of them.
fn gateways() -> Router<Arc<WebState>> {
    Router::new()
        .route(
            "/hooks/{channel}/{*path}",
            get(gateway::told).post(gateway::told),
        )
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(caught))
}

fn probes() -> Router<Arc<WebState>> {
    Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(caught))
}

async fn style() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("style.css"))
}
