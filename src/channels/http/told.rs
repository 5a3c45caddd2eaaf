//! Owns the fields of what a gateway says: of a query, of a form, or by JSON pointers into a body.

use reqwest::Url;
use serde_json::Value;

use crate::channels::{HookError, HookRequest};

/// What a request carries.
pub(super) enum Told {
    /// Fields of the query and of a form.
    Fields(Vec<(String, String)>),
    /// A JSON body, and the fields of the query.
    Json(Value, Vec<(String, String)>),
}

impl Told {
    pub(super) fn read(request: &HookRequest<'_>) -> Result<Self, HookError> {
        let mut fields = pairs(request.query);
        if request.body.is_empty() {
            return Ok(Self::Fields(fields));
        }
        let body =
            std::str::from_utf8(request.body).map_err(|_| unreadable("the body is not UTF-8"))?;
        let kind = header(request, "content-type").unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            fields.extend(pairs(body));
            return Ok(Self::Fields(fields));
        }
        let json = serde_json::from_str(body).map_err(|error| {
            unreadable(&format!("the body is neither a form nor JSON: {error}"))
        })?;
        Ok(Self::Json(json, fields))
    }

    /// Each of the messages that the body tells of.
    pub(super) fn each(self, pointer: &str) -> Result<Vec<Self>, HookError> {
        let Self::Json(body, fields) = self else {
            return Err(unreadable("`each` needs a JSON body"));
        };
        let list = body.pointer(pointer).and_then(Value::as_array);
        let list = list.ok_or_else(|| unreadable(&format!("there is no list at `{pointer}`")))?;
        let each = list
            .iter()
            .map(|one| Self::Json(one.clone(), fields.clone()));
        Ok(each.collect())
    }

    pub(super) fn text(&self, field: &str) -> Option<String> {
        let (body, fields) = match self {
            Self::Fields(fields) => (None, fields),
            Self::Json(body, fields) => (Some(body), fields),
        };
        let found = body.and_then(|body| {
            if field.starts_with('/') {
                body.pointer(field)
            } else {
                body.get(field)
            }
        });
        match found {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(is)) => Some(is.to_string()),
            _ => {
                let mut named = fields.iter().filter(|(name, _)| name == field);
                named.next().map(|(_, value)| value.clone())
            }
        }
    }
}

pub(super) fn header<'a>(request: &HookRequest<'a>, name: &str) -> Option<&'a str> {
    let mut named = request
        .headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}

/// The fields of a query or of a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let Ok(mut url) = Url::parse("http://form/") else {
        return Vec::new();
    };
    url.set_query(Some(text));
    let pairs = url.query_pairs();
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(super) fn unreadable(why: &str) -> HookError {
    HookError::Unreadable(why.to_owned())
}

pub(super) fn missing(what: &str, field: &str) -> HookError {
    unreadable(&format!("`{field}` is not there, which holds the `{what}`"))
}
