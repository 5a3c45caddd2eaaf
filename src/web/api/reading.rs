//! Owns reading a request: its path, its query and its body, each mistake told where it is.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::problem::{FieldError, Kind, Problem, escaped};
use crate::customers::typing;

/// The one name in the path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|bad| Problem::new(Kind::BadRequest, bad.body_text()))?;
        name(text).map(Self)
    }
}

/// Nothing has a name with a control character, and not every database could be asked for it.
fn name(text: String) -> Result<String, Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::not_found("no name holds a control character"));
    }
    Ok(text)
}

/// The two names in the path.
pub(super) struct Both(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Both {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) =
            path.map_err(|bad| Problem::new(Kind::BadRequest, bad.body_text()))?;
        Ok(Self(name(one)?, name(other)?))
    }
}

/// A name in the path, and the number of one of its things.
pub(super) struct Numbered {
    pub(super) of: String,
    pub(super) number: i64,
}

impl Numbered {
    /// What there is to say once something was done to it, if it was there.
    pub(super) fn done(&self, what: &str, was_there: bool) -> Result<StatusCode, Problem> {
        if was_there {
            return Ok(StatusCode::NO_CONTENT);
        }
        let detail = format!("`{}` has no {what} {}", self.of, self.number);
        Err(Problem::not_found(detail))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Both(of, number) = Both::from_request_parts(parts, state).await?;
        let number = number.parse().map_err(|_| {
            let detail = format!("the path must end with a number, not with `{number}`");
            Problem::new(Kind::BadRequest, detail)
        })?;
        Ok(Self { of, number })
    }
}

/// Those that can be nobody's unique id; they stand below this pointer.
pub(super) fn bad_ids(below: &str, ids: &[String]) -> Vec<FieldError> {
    let bad = ids.iter().enumerate().filter_map(|(place, id)| {
        let reason = typing::read_id(id).err()?;
        Some(FieldError::new(format!("{below}/{place}"), reason))
    });
    bad.collect()
}

/// The query, every parameter of which is known.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(|bad| Problem::new(Kind::BadRequest, bad.body_text()))?;
        Ok(Self(query))
    }
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = bytes(request, state).await?;
        if !is_json {
            let detail = "send the body as `Content-Type: application/json`";
            return Err(Problem::new(Kind::NotJson, detail));
        }
        parse(&bytes).map(Self)
    }
}

/// The body, as far as it is allowed to go.
pub(super) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|bad| match bad.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = "the body is larger than this address takes: send it in parts";
            Problem::new(Kind::TooLarge, detail)
        }
        _ => Problem::new(Kind::BadRequest, bad.body_text()),
    })
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader);
    let read = read.map_err(|error| {
        let pointer: String = error.path().iter().map(step).collect();
        refused(&pointer, error.inner())
    })?;
    reader.end().map_err(|error| refused("", &error))?;
    Ok(read)
}

fn refused(pointer: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
    match error.classify() {
        Category::Data => Problem::invalid(vec![FieldError::new(pointer, message)]),
        Category::Syntax | Category::Eof | Category::Io => {
            let detail = format!("line {line}, column {column}: {message}");
            Problem::new(Kind::BadJson, detail)
        }
    }
}

fn step(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[serde(rename = "list")]
        _list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "n/1")]
        _number: u8,
    }

    fn told(text: &str) -> serde_json::Value {
        serde_json::to_value(parse::<Thing>(text.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn a_wrong_value_is_named_by_its_pointer() {
        let told = told("{\"list\": [{\"n/1\": 1}, {\"n/1\": 256}]}");
        assert_eq!(told["status"], 422);
        assert_eq!(told["errors"][0]["field"], "/list/1/n~11");
    }

    #[test]
    fn broken_json_is_named_by_line_and_column() {
        let told = told("{\n  \"list\": [}");
        assert_eq!(told["status"], 400);
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.starts_with("line 2, column 12: "), "{detail}");
        assert!(told["errors"].is_null());
    }

    #[test]
    fn what_comes_after_the_body_is_refused() {
        assert_eq!(told("{\"list\": []} x")["status"], 400);
        assert_eq!(told("")["status"], 400);
    }
}
