//! Owns entity tags of customers and definitions: edits that are made only while they hold, and answers that
//! are left out while they do (RFC 9110 §13.1.1, §13.1.2).

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use super::problem::{Kind, Problem};
use crate::customers::edits::Edit;
use crate::domain::audit::By;
use crate::domain::customer_version::Version;
use crate::domain::revision::Revision;
use crate::web::state::WebState;

/// The versions that `If-Match` names; no condition without it, nor with `*`.
pub(super) struct IfMatch(Option<Vec<Version>>);

impl IfMatch {
    /// An edit, now, under this condition.
    pub(super) fn edit<'a>(
        &'a self,
        state: &'a WebState,
        revision: &'a Revision,
        by: &'a By,
    ) -> Edit<'a> {
        Edit {
            store: &state.store,
            revision,
            seen: self.0.as_deref(),
            by,
            at: state.clock.now(),
        }
    }

    /// What a refused edit is told: with a condition, a conflict is a customer that has moved.
    pub(super) fn told(&self, problem: impl Into<Problem>) -> Problem {
        let problem = problem.into();
        if self.0.is_some() && problem.kind() == Kind::Conflict {
            let detail = "the customer has changed since it was read: read it again, then edit";
            return Problem::new(Kind::Moved, detail);
        }
        problem
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers).map(Self)
    }
}

/// The versions of a definition that `If-Match` names; no condition without it, nor with `*`.
pub(super) struct IfVersion(Option<Vec<i64>>);

impl IfVersion {
    pub(super) fn seen(&self) -> Option<Vec<i64>> {
        self.0.clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read_as(&parts.headers, |text| text.parse().ok()).map(Self)
    }
}

/// Between the version in a tag, upon which is edited, and the mark of all that is shown beside it: counts
/// and histories move on while nobody edits.
const MARK: char = '.';

/// Completes the tag of an answer by a mark of its body, and leaves the body out for whoever has it.
pub(super) async fn unless_known(request: Request, next: Next) -> Response {
    let known = request.headers().get_all(IF_NONE_MATCH).iter();
    let known: Vec<HeaderValue> = known.cloned().collect();
    let response = next.run(request).await;
    match response.headers().get(ETAG).cloned() {
        Some(version) if response.status() == StatusCode::OK => {
            marked(response, &version, &known).await
        }
        _ => response,
    }
}

async fn marked(response: Response, version: &HeaderValue, known: &[HeaderValue]) -> Response {
    let (mut parts, body) = response.into_parts();
    // It is in memory already: what has a version is no file.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    };
    let version = version.to_str().unwrap_or_default().trim_matches('"');
    let tag = format!("\"{version}{MARK}{:016x}\"", xxh3_64(&body));
    let is_known = known.iter().any(|value| names(value, &tag));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(ETAG, tag);
    }
    if !is_known {
        return Response::from_parts(parts, Body::from(body));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether a tag is among those of an `If-None-Match`, which a weak one is, too.
fn names(value: &HeaderValue, tag: &str) -> bool {
    let tags = value.to_str().unwrap_or_default().split(',').map(str::trim);
    let mut tags = tags.map(|known| known.strip_prefix("W/").unwrap_or(known));
    tags.any(|known| known == tag || known == "*")
}

/// A definition's version as an entity tag; what is in no store has none of its own.
pub(super) fn version_tag(version: Option<i64>) -> String {
    format!("\"{}\"", version.unwrap_or(0))
}

/// A customer's version as an entity tag.
pub(super) fn tag(version: Version) -> String {
    format!("\"{version}\"")
}

fn read(headers: &HeaderMap) -> Result<Option<Vec<Version>>, Problem> {
    read_as(headers, Version::parse)
}

fn read_as<V>(
    headers: &HeaderMap,
    parse: impl Fn(&str) -> Option<V>,
) -> Result<Option<Vec<V>>, Problem> {
    let bad = || {
        let detail = "`If-Match` must be entity tags in quotes, or `*`";
        Problem::new(Kind::BadRequest, detail)
    };
    let mut versions = Vec::new();
    let mut is_given = false;
    for value in headers.get_all(IF_MATCH) {
        is_given = true;
        let value = value.to_str().map_err(|_| bad())?.trim();
        if value == "*" {
            return Ok(None);
        }
        for tag in value.split(',').map(str::trim) {
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            let text = strong
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'));
            let text = text.ok_or_else(bad)?;
            // A weak tag never matches here, nor does one that is not ours.
            let version = text.split_once(MARK).map_or(text, |(version, _)| version);
            versions.extend(parse(version).filter(|_| strong == tag));
        }
    }
    Ok(is_given.then_some(versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<Option<usize>, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, value.parse().unwrap());
        let read = read(&headers).map(|versions| versions.map(|versions| versions.len()));
        read.map_err(|problem| problem.kind().status().as_u16())
    }

    #[test]
    fn tags_are_read_as_the_standard_says() {
        let one = "\"0000000000000000000000000000feed\"";
        assert_eq!(of(one), Ok(Some(1)));
        assert_eq!(of("\"0000000000000000000000000000feed.77\""), Ok(Some(1)));
        assert_eq!(of(&format!("{one}, \"other\", {one}")), Ok(Some(2)));
        assert_eq!(of(&format!("W/{one}")), Ok(Some(0)));
        assert_eq!(of("*"), Ok(None));
        assert_eq!(of("feed"), Err(400));
        assert!(read(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn a_tag_is_known_among_others_and_weakly() {
        let is_known = |value: &str| names(&value.parse().unwrap(), "\"7.ab\"");
        for value in ["\"7.ab\"", "W/\"7.ab\"", "\"6.ab\", \"7.ab\"", "*"] {
            assert!(is_known(value), "{value}");
        }
        for value in ["\"7\"", "7.ab", "", "\"7.ab"] {
            assert!(!is_known(value), "{value}");
        }
    }
}
