//! Owns `/drumbeat.js`: the script for the company's pages, and the same at an address that changes with it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LINK,
};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use crate::web::state::WebState;

const SCRIPT: &str = include_str!("drumbeat.js");
/// Other sites' pages load it, and check its hash (<https://www.w3.org/TR/sri-2/>).
const FOR_ALL: (HeaderName, &str) = (ACCESS_CONTROL_ALLOW_ORIGIN, "*");
const FOR_OTHER_SITES: (HeaderName, &str) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    "cross-origin",
);

/// Where exactly this script is, for ever (RFC 8246).
pub(super) fn lasting_path() -> String {
    format!("/drumbeat.{:016x}.js", xxh3_64(SCRIPT.as_bytes()))
}

pub(super) async fn current(State(state): State<Arc<WebState>>) -> Response {
    served(&state, "public, max-age=300")
}

pub(super) async fn lasting(State(state): State<Arc<WebState>>) -> Response {
    served(&state, "public, max-age=31536000, immutable")
}

/// There is none where no page may tell anything.
fn served(state: &WebState, kept: &'static str) -> Response {
    if state.door.is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    // What has the script for ever (RFC 5829).
    let lasting = format!("<{}>; rel=\"latest-version\"", lasting_path());
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, kept),
        FOR_ALL,
        FOR_OTHER_SITES,
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    ([(LINK, lasting)], headers, SCRIPT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small() {
        assert!(SCRIPT.len() < 4096, "{}", SCRIPT.len());
    }
}
