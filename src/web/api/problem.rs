//! Owns what a request to the API is told when it fails: RFC 9457, each kind with a page of its own.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::customers::error::Error as CustomersError;
use crate::customers::json_fields::BadField;
use crate::customers::names::UnknownName;
use crate::store;

pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Declares the kinds once: variant, anchor, status, title.
macro_rules! kinds {
    ($($variant:ident $slug:literal $status:ident $title:literal;)*) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($variant,)* }

        impl Kind {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The address of its description.
            pub(super) fn address(self) -> &'static str {
                match self { $(Self::$variant => concat!("/docs/api#", $slug),)* }
            }

            pub(super) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            pub(super) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    BadRequest "bad-request" BAD_REQUEST "The request cannot be read";
    BadJson "bad-json" BAD_REQUEST "The body is not JSON";
    BadCursor "bad-cursor" BAD_REQUEST "The cursor is not of this list";
    Unauthorized "unauthorized" UNAUTHORIZED "A token is needed";
    Forbidden "forbidden" FORBIDDEN "The token may not do this";
    NotFound "not-found" NOT_FOUND "There is no such thing";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "This address does not take that method";
    Conflict "conflict" CONFLICT "It collides with what is there";
    InFlight "in-flight" CONFLICT "A request with this key is being carried out";
    Moved "moved" PRECONDITION_FAILED "It has changed since it was read";
    TooLarge "too-large" PAYLOAD_TOO_LARGE "The body is too large";
    NotJson "not-json" UNSUPPORTED_MEDIA_TYPE "The body must be JSON";
    Invalid "invalid" UNPROCESSABLE_ENTITY "Something in the request is not valid";
    KeyReused "key-reused" UNPROCESSABLE_ENTITY "Another request had this key";
    TooMany "too-many" TOO_MANY_REQUESTS "Too many requests";
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong here";
    Unavailable "unavailable" SERVICE_UNAVAILABLE "The store does not answer now";
}

/// What went wrong with a request, as `application/problem+json`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Problem {
    /// Which kind of problem it is: the address of its description.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference", example = "/docs/api#invalid")]
    kind: &'static str,
    #[schema(value_type = String, example = "Something in the request is not valid")]
    title: &'static str,
    /// The status of the response.
    #[schema(example = 422)]
    status: u16,
    /// What happened this time, and what to do about it.
    detail: String,
    /// What is wrong with single fields of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    of: Box<Frame>,
}

/// What goes with a problem outside its body.
#[derive(Debug, Clone)]
struct Frame {
    kind: Kind,
    /// Seconds.
    retry_after: Option<u64>,
}

/// One field of the body that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FieldError {
    /// Where it is: a JSON pointer (RFC 6901); empty for the whole body.
    #[schema(example = "/fields/email")]
    pub(super) field: String,
    #[schema(example = "`nobody` is not an e-mail address")]
    pub(super) message: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.address(),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            of: Box::new(Frame {
                kind,
                retry_after: None,
            }),
        }
    }

    /// A parameter of a list that stood in a body.
    pub(super) fn of_body(self) -> Self {
        Self::field("/limit", self.detail)
    }

    /// Fields that are not valid.
    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
        let told = errors.iter().map(|error| match error.field.as_str() {
            "" => error.message.clone(),
            field => format!("`{field}`: {}", error.message),
        });
        let detail = told.collect::<Vec<_>>().join("; ");
        Self {
            errors,
            ..Self::new(Kind::Invalid, detail)
        }
    }

    /// The same, if any is not.
    pub(super) fn unless_none(errors: Vec<FieldError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        Err(Self::invalid(errors))
    }

    pub(super) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// The same, with the seconds after which it may be tried again.
    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.of.retry_after = Some(seconds);
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.of.kind
    }

    /// What a status alone says.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let mut kinds = Kind::ALL.iter().copied();
        let kind = kinds.find(|kind| kind.status() == status);
        let is_ours = status.is_server_error();
        let other = if is_ours {
            Kind::Internal
        } else {
            Kind::BadRequest
        };
        let kind = kind.unwrap_or(other);
        let mut problem = Self::new(kind, kind.title());
        problem.status = status.as_u16();
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or_else(|_| self.of.kind.status());
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"drumbeat\"");
            headers.insert(WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = self.of.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound(what) => Self::not_found(format!("not found: {what}")),
            store::Error::Conflict(why) | store::Error::Refused(why) => {
                Self::new(Kind::Conflict, why)
            }
            store::Error::Busy | store::Error::Away(_) => {
                tracing::warn!(%error, "the store does not answer a request");
                let detail = "the store is busy or cannot be reached: try again";
                Self::new(Kind::Unavailable, detail).after(1)
            }
            store::Error::InDoubt => {
                let detail =
                    "the store did not say whether it was written: look before you try again";
                Self::new(Kind::Unavailable, detail).after(1)
            }
            store::Error::Corrupt(_) | store::Error::Unusable(_) | store::Error::Database(_) => {
                tracing::error!(%error, "a request failed");
                Self::new(Kind::Internal, "the log of the daemon says what happened")
            }
        }
    }
}

impl From<UnknownName> for Problem {
    fn from(unknown: UnknownName) -> Self {
        Self::field(&format!("/{}", unknown.what), unknown.to_string())
    }
}

impl From<CustomersError> for Problem {
    fn from(error: CustomersError) -> Self {
        match error {
            CustomersError::UnknownCustomer(_) => Self::not_found(error.to_string()),
            CustomersError::UnknownName(unknown) => unknown.into(),
            CustomersError::BadId { place, reason } => Self::field(&format!("/{place}"), reason),
            CustomersError::BadValue { field, reason } => Self::field(&pointer(&field), reason),
            CustomersError::BadText { name, reason } => Self::field(&format!("/{name}"), reason),
            CustomersError::BadPlan { field, reason } => Self::field(&format!("/{field}"), reason),
            CustomersError::UnknownImport(_) => Self::not_found(error.to_string()),
            CustomersError::FileGone(_) => Self::new(Kind::Conflict, error.to_string()),
            CustomersError::FileTooLarge(_) => Self::new(Kind::TooLarge, error.to_string()),
            CustomersError::Store(error) => error.into(),
            CustomersError::OtherCustomer(_) | CustomersError::StillAnonymous(_) => {
                Self::new(Kind::Conflict, error.to_string())
            }
            other => {
                tracing::error!(error = %other, "a request failed");
                Self::new(Kind::Internal, "the log of the daemon says what happened")
            }
        }
    }
}

/// The JSON pointer to a customer's field; the unique id stands outside the fields.
pub(super) fn pointer(field: &str) -> String {
    if field == crate::domain::field::ID {
        return "/id".to_owned();
    }
    format!("/fields/{}", escaped(field))
}

/// One step of a JSON pointer (RFC 6901 §3).
pub(super) fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// The mistakes in fields of a customer, below this pointer.
pub(super) fn bad_fields(below: &str, bad: &[BadField]) -> Vec<FieldError> {
    bad.iter()
        .map(|bad| FieldError::new(format!("{below}{}", pointer(&bad.field)), &*bad.reason))
        .collect()
}
