//! Owns what supervisors and monitors ask: alive, ready, and the figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;

use super::error::Error;
use super::state::{GatewayHealth, WebState};
use crate::store::CheckRecord;

/// 200 while the engine's loops turn, 503 when they do not: restart the daemon.
pub(super) async fn healthz(State(state): State<Arc<WebState>>) -> (StatusCode, &'static str) {
    if state.daemon.alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stalled\n")
    }
}

#[derive(Serialize)]
struct Readiness {
    /// Whether the store takes writes; nothing is sent while it does not.
    ready: bool,
    revision: i32,
    /// The last check of the files, which may be newer than the revision that runs.
    check: Option<Check>,
    channels: Vec<GatewayHealth>,
}

#[derive(Serialize)]
struct Check {
    ok: bool,
    errors: u32,
    at: Timestamp,
}

impl From<CheckRecord> for Check {
    fn from(record: CheckRecord) -> Self {
        Self {
            ok: record.ok,
            errors: record.errors,
            at: record.at,
        }
    }
}

/// 200 when the store takes writes, else 503. A bad file or an open breaker is told in the body
/// only: restarting or unrouting the daemon would mend neither.
pub(super) async fn readyz(State(state): State<Arc<WebState>>) -> Response {
    let check = state.store.last_check().await.ok().flatten();
    let readiness = Readiness {
        ready: state.store_is_writable().await,
        revision: state.daemon.published().number.0,
        check: check.map(Check::from),
        channels: state.daemon.gateways(),
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

/// The figures in the `OpenMetrics` text format.
pub(super) async fn metrics(State(state): State<Arc<WebState>>) -> Result<Response, Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &state.metrics)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
