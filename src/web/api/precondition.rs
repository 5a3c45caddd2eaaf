//! Owns entity tags of customers and definitions, and edits that are made only while they hold (RFC 9110 §13.1.1).

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use super::problem::{Kind, Problem};
use crate::domain::customer_version::Version;
use crate::store::Seen;

/// The versions that `If-Match` names; no condition without it, nor with `*`.
pub(super) struct IfMatch(Option<Vec<Version>>);

impl IfMatch {
    pub(super) fn seen(&self) -> Seen<'_> {
        self.0.as_deref()
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
            versions.extend(parse(text).filter(|_| strong == tag));
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
        assert_eq!(of(&format!("{one}, \"other\", {one}")), Ok(Some(2)));
        assert_eq!(of(&format!("W/{one}")), Ok(Some(0)));
        assert_eq!(of("*"), Ok(None));
        assert_eq!(of("feed"), Err(400));
        assert!(read(&HeaderMap::new()).unwrap().is_none());
    }
}
