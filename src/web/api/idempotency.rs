//! Owns requests that may be repeated: with `Idempotency-Key`, the first answer is given again for a day.
//!
//! As in the IETF draft `draft-ietf-httpapi-idempotency-key-header`.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::bearer;
use super::problem::{Kind, Problem};
use super::reading;
use super::sealing::{Answered, Sealing};
use crate::domain::token::Token;
use crate::store::{KeptAnswer, Repeat, RequestKey};
use crate::web::state::WebState;

pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Told of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 255;
/// What of an answer's head is given again.
const HEADERS: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, LINK];

/// Carries a POST with a key out once.
pub(super) async fn once(
    State(state): State<Arc<WebState>>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    carry_out(state, request, next)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn carry_out(
    state: Arc<WebState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (key, sealing) = key(&request, &state)?;
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = reading::bytes(whole, &state).await?;
    match state
        .store
        .begin_request(&key, &told_apart(&sealing, &parts, &body))
        .await?
    {
        Repeat::First => {}
        Repeat::Other => {
            let detail = "another request had this key: a new request needs a new one";
            return Err(Problem::new(Kind::KeyReused, detail));
        }
        Repeat::InFlight => {
            let detail = "the first request with this key is not answered yet";
            return Err(Problem::new(Kind::InFlight, detail).after(1));
        }
        Repeat::Answered(answer) => return again(&answer, &sealing),
    }
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: a caller who hangs up must find the answer when it comes again.
    let carried_out = tokio::spawn(async move {
        let response = next.run(request).await;
        keep(&state, (&key, &sealing), response).await
    });
    carried_out.await.map_err(|error| {
        tracing::error!(%error, "a request ended early");
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

fn key(request: &Request, state: &WebState) -> Result<(RequestKey, Sealing), Problem> {
    let bad = || {
        let detail = format!("`Idempotency-Key` must be 1 to {LONGEST} visible ASCII characters");
        Problem::new(Kind::BadRequest, detail)
    };
    let key = request.headers().get(KEY).ok_or_else(bad)?;
    let key = key.to_str().map_err(|_| bad())?;
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > LONGEST || !is_visible {
        return Err(bad());
    }
    let token = request.extensions().get::<Arc<Token>>();
    let token = token.ok_or_else(|| Problem::of_status(StatusCode::UNAUTHORIZED))?;
    let sealing = Sealing::new(&bearer(request.headers())?, key);
    let key = RequestKey {
        token: token.id.clone(),
        key: sealing.name(),
        at: state.clock.machine(),
    };
    Ok((key, sealing))
}

fn told_apart(sealing: &Sealing, parts: &Parts, body: &[u8]) -> Vec<u8> {
    let address = parts.uri.path_and_query();
    let address = address.map_or("", |whole| whole.as_str());
    sealing.request(&[parts.method.as_str().as_bytes(), address.as_bytes(), body])
}

/// Keeps the answer, unless it says only that this time it did not work.
async fn keep(
    state: &WebState,
    (key, sealing): (&RequestKey, &Sealing),
    response: Response,
) -> Response {
    let status = response.status();
    let is_final = !status.is_server_error()
        && ![StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let header = |name: &HeaderName| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let answered = Answered {
        headers: HEADERS.iter().filter_map(header).collect(),
        body: body.to_vec(),
    };
    let kept = match sealing.seal(&answered) {
        Ok(answer) if is_final => {
            let status = status.as_u16();
            let answer = KeptAnswer { status, answer };
            state.store.keep_answer(key, &answer).await
        }
        _ => state.store.abandon_request(key).await,
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "cannot keep the answer to a request with a key");
    }
    Response::from_parts(parts, Body::from(body))
}

fn again(answer: &KeptAnswer, sealing: &Sealing) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let answered = sealing.open(&answer.answer);
    let answered = answered.map_err(|_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    let mut response = (status, answered.body).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    for (name, value) in answered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    let replayed = HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, replayed);
    Ok(response)
}
