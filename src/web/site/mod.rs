//! Owns what the company's own pages use: the script, and the one address to which it tells what visitors do.

mod collect;
mod script;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tower_http::timeout::TimeoutLayer;

use super::state::WebState;

/// What one page has to tell at once comes nowhere near it.
const BODY: usize = 64 * 1024;
const REQUEST_TIME: Duration = Duration::from_secs(20);

pub(super) fn router() -> Router<Arc<WebState>> {
    Router::new()
        .route("/drumbeat.js", get(script::current))
        .route(&script::lasting_path(), get(script::lasting))
        .route("/collect", post(collect::take).options(collect::preflight))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIME,
        ))
}
