//! Owns what can go wrong in a request, and the status that says so.

use std::any::Any;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::store;

/// A failure of a request. The page that people see is made from the status alone, so that nothing
/// of the inside leaks.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A token that was altered, or whose customer is gone; the two look the same from outside.
    #[error("no such link")]
    NoSuchLink,
    #[error("the form asks for something that was not offered")]
    NotOffered,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a page cannot be rendered: {0}")]
    Page(#[from] askama::Error),
    #[error("the metrics cannot be written out: {0}")]
    Metrics(#[from] std::fmt::Error),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuchLink => StatusCode::NOT_FOUND,
            Self::NotOffered => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Page(_) | Self::Metrics(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = %self, "a request failed");
        }
        status.into_response()
    }
}

/// What a request that panicked is answered with; the panic is in the log.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the payload over"
)]
pub(super) fn caught(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(message, "a request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
