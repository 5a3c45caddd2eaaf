//! Owns `POST /collect`: what a browser may tell of its visitor, and of nobody else.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, RETRY_AFTER, USER_AGENT, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::customers::error::Error;
use crate::customers::identifying::identify;
use crate::customers::occurrence_form::{self, WrittenOccurrence};
use crate::customers::occurrence_reading::{Flaw, Reader};
use crate::customers::occurrences::{Outcome, Recording};
use crate::domain::audit::{Actor, By, Source};
use crate::domain::environment::Environment;
use crate::domain::interaction::Kind;
use crate::domain::occurrence::Occurrence;
use crate::domain::revision::Revision;
use crate::domain::site::is_visitor;
use crate::web::door::{Door, Peer};
use crate::web::state::WebState;

const MOST_EVENTS: usize = 50;
/// What anybody can make a browser say: nothing of money, log-ins, or what is agreed to.
const TOLD: [Kind; 6] = [
    Kind::PageVisited,
    Kind::BannerClicked,
    Kind::PopupViewed,
    Kind::ItemTouched,
    Kind::NpsAnswered,
    Kind::Conversion,
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    visitor: String,
    #[serde(default)]
    events: Vec<Box<RawValue>>,
    /// A proof of who the visitor is.
    identify: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Taken {
    recorded: u64,
    identified: bool,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    event: usize,
    errors: Vec<RejectedPart>,
}

#[derive(Debug, Serialize)]
struct RejectedPart {
    field: String,
    message: String,
}

/// Why nothing was taken.
struct Refused {
    status: StatusCode,
    detail: String,
    retry_after: Option<u64>,
}

impl Refused {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// `OPTIONS /collect`: what browsers ask before a body of JSON.
pub(super) async fn preflight(State(state): State<Arc<WebState>>, headers: HeaderMap) -> Response {
    let Some(door) = &state.door else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(origin) = door.origin(&headers) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    permitting(origin, (StatusCode::NO_CONTENT, allowed).into_response())
}

/// `POST /collect`: JSON, also as `text/plain`, which browsers send without asking beforehand.
pub(super) async fn take(
    State(state): State<Arc<WebState>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(door) = &state.door else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(origin) = door.origin(&headers) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let peer = peer.map(|Extension(peer)| peer);
    let taken = taken(&state, door, (&headers, peer), &body).await;
    let response = match taken {
        Ok(taken) => Json(taken).into_response(),
        Err(refused) => refused.into_response(),
    };
    permitting(origin, response)
}

/// The page that asked may read the answer (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
fn permitting(origin: &str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    response
}

async fn taken(
    state: &WebState,
    door: &Door,
    (headers, peer): (&HeaderMap, Option<Peer>),
    body: &[u8],
) -> Result<Taken, Refused> {
    let address = door.address(headers, peer);
    door.count(address).map_err(|seconds| Refused {
        retry_after: Some(seconds),
        ..Refused::new(StatusCode::TOO_MANY_REQUESTS, "come back later")
    })?;
    let told = read(body)?;
    let published = state.daemon.published();
    let revision = &published.revision;
    let by = By::new(Actor::named("visitor"), Source::Site);
    let mut taken = Taken::default();
    if let Some(proof) = &told.identify {
        recognise(state, door, revision, (&told.visitor, proof), &by).await?;
        taken.identified = true;
    }
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let environment = Environment {
        ip: address
            .filter(|_| door.settings.keep_address)
            .map(|ip| ip.to_string()),
        ..Environment::of_browser(agent.unwrap_or_default())
    };
    let now = state.clock.now();
    let reader = Reader {
        revision,
        by: &by,
        now,
    };
    let events = told.events.iter();
    let read = events.map(|event| occurrence(&reader, event, &told.visitor, &environment));
    let recording = Recording {
        store: &state.store,
        revision,
        by: &by,
        now,
        is_trial: false,
    };
    let outcomes = recording.record(read.collect()).await.map_err(failed)?;
    for (event, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Recorded | Outcome::Duplicate => taken.recorded += 1,
            Outcome::UnknownCustomer(why) => taken.reject(event, vec![Flaw::new("", why)]),
            Outcome::Invalid(flaws) => taken.reject(event, flaws),
        }
    }
    Ok(taken)
}

fn read(body: &[u8]) -> Result<Told, Refused> {
    let told: Told = serde_json::from_slice(body)
        .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    if !is_visitor(&told.visitor) {
        let detail = "`visitor` must be `v-` and 32 hexadecimal digits of chance";
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    if told.events.len() > MOST_EVENTS {
        let detail = format!("`events` holds more than {MOST_EVENTS}");
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    Ok(told)
}

/// Makes the visitor part of the customer whom the proof names.
async fn recognise(
    state: &WebState,
    door: &Door,
    revision: &Revision,
    (visitor, proof): (&str, &str),
    by: &By,
) -> Result<(), Refused> {
    let Some(key) = &door.key else {
        let detail = "nobody can be identified: `site` has no `identify-secret`";
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    };
    let customer = key.customer(proof, state.clock.machine()).map_err(|bad| {
        Refused::new(
            StatusCode::FORBIDDEN,
            format!("the proof is refused: {bad}"),
        )
    })?;
    let (who, now) = ((visitor, customer.as_str()), state.clock.now());
    identify(&state.store, revision, who, by, now)
        .await
        .map_err(failed)?;
    Ok(())
}

/// What a browser tells is of its visitor, now, and of a kind that anybody may tell.
fn occurrence(
    reader: &Reader<'_>,
    event: &RawValue,
    visitor: &str,
    environment: &Environment,
) -> Result<Occurrence, Vec<Flaw>> {
    let written = occurrence_form::parse(event);
    let mut written = written.map_err(|(pointer, reason)| vec![Flaw::new(pointer, reason)])?;
    let flaws = overreaching(&written);
    if !flaws.is_empty() {
        return Err(flaws);
    }
    written.visitor = Some(visitor.to_owned());
    written.environment = Some(environment.clone());
    reader.read(written)
}

fn overreaching(written: &WrittenOccurrence) -> Vec<Flaw> {
    let kind = Kind::parse(&written.kind);
    let mut flaws = Vec::new();
    if kind.is_none_or(|kind| !TOLD.contains(&kind)) {
        let told = TOLD.map(Kind::as_str).join("`, `");
        let reason = format!("a browser tells of `{told}` alone");
        flaws.push(Flaw::new("/kind", reason));
    }
    for (place, is_there) in [
        ("/customer", written.customer.is_some()),
        ("/visitor", written.visitor.is_some()),
        ("/email", written.email.is_some()),
        ("/phone", written.phone.is_some()),
        ("/create", written.create),
        ("/at", written.at.is_some()),
        ("/channel", written.channel.is_some()),
        ("/flow", written.flow.is_some()),
        ("/step", written.step.is_some()),
        ("/environment", written.environment.is_some()),
    ] {
        if is_there {
            flaws.push(Flaw::new(place, "is not for a browser to tell"));
        }
    }
    flaws
}

impl Taken {
    fn reject(&mut self, event: usize, flaws: Vec<Flaw>) {
        let errors = flaws.into_iter().map(|flaw| RejectedPart {
            field: flaw.pointer,
            message: flaw.reason,
        });
        self.rejected.push(Rejected {
            event,
            errors: errors.collect(),
        });
    }
}

/// Nothing of the inside leaks to a page.
fn failed(error: Error) -> Refused {
    match error {
        Error::OtherCustomer(_) | Error::StillAnonymous(_) => {
            let detail = "this visitor is somebody else already: take a new id";
            Refused::new(StatusCode::CONFLICT, detail)
        }
        error => {
            tracing::error!(%error, "what a browser told was not recorded");
            Refused {
                retry_after: Some(1),
                ..Refused::new(StatusCode::SERVICE_UNAVAILABLE, "come back later")
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({ "detail": self.detail }));
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
