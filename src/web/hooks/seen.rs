//! Owns what tells that a message was opened or a link of it followed. The reader gets the picture or the
//! page whatever becomes of what is told.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::origin::Origin;
use crate::domain::audit::{Actor, Source};
use crate::domain::channel::Channel;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::link::{Link, LinkKind};
use crate::domain::occurrence::{Key, Placed};
use crate::domain::revision::NameKind;
use crate::store::{self, Telling};
use crate::web::error::Error;
use crate::web::state::WebState;

/// A transparent picture of one pixel (`GIF89a`).
const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// `GET /o/TOKEN`: the picture.
pub(crate) async fn opened(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let link = state.links.open(&token).ok_or(Error::NoSuchLink)?;
    if link.kind != LinkKind::Open {
        return Err(Error::NoSuchLink);
    }
    let reader = Reader::of(&headers);
    if reader != Reader::Foresight {
        tell(&state, &link, "", reader).await;
    }
    Ok(([(CONTENT_TYPE, "image/gif")], PIXEL).into_response())
}

/// `GET /c/TOKEN`: on to the target, which only this daemon can have sealed.
pub(crate) async fn followed(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let opened = state.links.open_to(&token);
    let (link, target) = opened
        .filter(|(link, _)| link.kind == LinkKind::Click)
        .ok_or(Error::NoSuchLink)?;
    tell(&state, &link, &target, Reader::of(&headers)).await;
    Ok((StatusCode::FOUND, [(LOCATION, target)]).into_response())
}

/// Who loads the picture, as far as the program says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Person,
    /// A provider's proxy that loads it when the person opens the message.
    Proxy,
    /// A provider that loads every picture beforehand, opened or not.
    Foresight,
}

impl Reader {
    /// Gmail's and Yahoo's proxies name themselves; Apple's Mail Privacy Protection says no more than
    /// `Mozilla/5.0`.
    fn of(headers: &HeaderMap) -> Self {
        let program = headers.get(USER_AGENT);
        let program = program
            .and_then(|name| name.to_str().ok())
            .unwrap_or_default();
        if program.trim() == "Mozilla/5.0" {
            Self::Foresight
        } else if ["GoogleImageProxy", "YahooMailProxy"]
            .iter()
            .any(|name| program.contains(name))
        {
            Self::Proxy
        } else {
            Self::Person
        }
    }
}

async fn tell(state: &WebState, link: &Link, target: &str, reader: Reader) {
    let at = state.clock.now();
    let Some(placed) = occurrence(state, link, target, (reader, at)) else {
        return;
    };
    if let Err(error) = record(state, placed, at).await {
        tracing::error!(%error, "what a reader did could not be stored");
    }
}

async fn record(state: &WebState, placed: Placed, now: Timestamp) -> store::Result<()> {
    let published = state.daemon.published();
    let model = &published.revision.data_model;
    let customers = state
        .store
        .customers(&[placed.line.customer], model)
        .await?;
    if customers.is_empty() {
        return Ok(());
    }
    let how = Telling {
        source: Source::Link,
        now,
        is_trial: false,
    };
    state.store.record_once(&[placed], how).await?;
    Ok(())
}

/// The same message counts as opened once, and the same link of it as followed once a day.
fn occurrence(
    state: &WebState,
    link: &Link,
    target: &str,
    (reader, at): (Reader, Timestamp),
) -> Option<Placed> {
    let published = state.daemon.published();
    let (revision, numbers) = (&published.revision, &published.numbers);
    let origin = Origin::of(link, revision, numbers)?;
    let step = numbers.name(NameKind::Step, link.dispatch.step());
    let kind = match (link.channel, link.kind) {
        (Channel::Email, LinkKind::Open) => Kind::EmailOpened,
        (Channel::Email, _) => Kind::EmailClicked,
        (Channel::Sms, _) => Kind::SmsClicked,
        (Channel::Push, _) => Kind::PushOpened,
    };
    let dispatch = link.dispatch.to_string();
    let key = match link.kind {
        LinkKind::Open => format!("open {dispatch}"),
        _ => format!("click {dispatch} {} {target}", at.as_second() / 86_400),
    };
    let mut detail = Map::new();
    detail.insert("dispatch".to_owned(), json!(dispatch));
    if !target.is_empty() {
        detail.insert("url".to_owned(), json!(target));
    }
    if reader == Reader::Proxy {
        detail.insert("by".to_owned(), json!("mail proxy"));
    }
    let line = Interaction {
        channel: Some(link.channel),
        campaign: Some(origin.campaign),
        flow: numbers
            .name(NameKind::Flow, link.flow)
            .map(ToOwned::to_owned),
        step: step
            .and_then(|name| name.split_once('/'))
            .map(|(_, step)| step.to_owned()),
        actor: Some(Actor::customer().to_string()),
        detail: Some(Value::Object(detail)),
        ..Interaction::new(link.customer, at, kind)
    };
    Some(Placed {
        key: Key::of(&key),
        line,
        nps: None,
        environment: None,
    })
}
