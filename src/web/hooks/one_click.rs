//! Owns RFC 8058: telling a mail client's one-click request from a form that a person sent.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::domain::audit::Source;

const NAME: &str = "List-Unsubscribe";
const VALUE: &str = "One-Click";

/// By which way a POST came. RFC 8058 §3.1: the body is `List-Unsubscribe=One-Click`, as
/// `multipart/form-data` or as `application/x-www-form-urlencoded`.
pub(super) async fn source_of(request: Request) -> Result<Source, Response> {
    let one_click = if is_multipart(&request) {
        in_multipart(request).await?
    } else {
        let body = Bytes::from_request(request, &());
        in_form(&body.await.map_err(IntoResponse::into_response)?)
    };
    Ok(if one_click {
        Source::OneClick
    } else {
        Source::Link
    })
}

fn is_multipart(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/")
}

async fn in_multipart(request: Request) -> Result<bool, Response> {
    let form = Multipart::from_request(request, &());
    let mut form = form.await.map_err(IntoResponse::into_response)?;
    while let Some(field) = form
        .next_field()
        .await
        .map_err(IntoResponse::into_response)?
    {
        let named = field.name() == Some(NAME);
        let text = field.text().await.map_err(IntoResponse::into_response)?;
        if named && text.trim() == VALUE {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_form(body: &[u8]) -> bool {
    std::str::from_utf8(body)
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|pair| pair == (NAME, VALUE))
}
