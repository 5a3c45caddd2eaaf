//! Owns the preferences link: what a person receives, given up or taken back one choice at a time.
//!
//! It shows neither name nor address: a message may have been passed on.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::choices::{Choice, Standing, choices};
use super::visit::Visit;
use crate::domain::audit::Source;
use crate::domain::channel::Channel;
use crate::domain::link::LinkKind;
use crate::domain::subscription::Scope;
use crate::web::error::Error;
use crate::web::page::{Frame, html};
use crate::web::state::WebState;

/// One button of the page: what to do, and the scope it stands beside.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::web) struct Change {
    act: Act,
    campaign: Option<String>,
    category: Option<String>,
    group: Option<String>,
    channel: Option<Channel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    GiveUp,
    TakeBack,
}

impl Change {
    fn into_scope(self) -> Scope {
        Scope {
            campaign: self.campaign,
            category: self.category,
            group: self.group,
            channel: self.channel,
        }
    }
}

/// A line of the page.
struct Line {
    messages: String,
    scope: Scope,
    standing: Standing,
    /// The broader choice that stops it.
    stopped_by: String,
}

#[derive(Template)]
#[template(path = "hooks/preferences.html")]
struct PreferencesPage<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    saved: bool,
    goes_on: String,
}

/// `GET /p/{token}` shows how everything stands; it changes nothing.
pub(in crate::web) async fn show(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let visit = Visit::open(&state, LinkKind::Preferences, &token, &headers).await?;
    let choices = offered(&state, &visit).await?;
    page(&visit, choices, false)
}

/// `POST /p/{token}` does what one button says; a repeat changes nothing.
pub(in crate::web) async fn act(
    State(state): State<Arc<WebState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(change): Form<Change>,
) -> Result<Response, Error> {
    let visit = Visit::open(&state, LinkKind::Preferences, &token, &headers).await?;
    let (customer, by, now) = (visit.customer.id, visit.by(Source::Link), state.clock.now());
    match (change.act, change.into_scope()) {
        (Act::GiveUp, scope) => {
            let offered = offered(&state, &visit).await?;
            if !offered.iter().any(|choice| choice.scope == scope) {
                return Err(Error::NotOffered);
            }
            state.store.unsubscribe(customer, &scope, &by, now).await?;
        }
        // A page grown old may take back what is no longer listed: then there is nothing to do.
        (Act::TakeBack, scope) => {
            state.store.resubscribe(customer, &scope, &by, now).await?;
        }
    }
    page(&visit, offered(&state, &visit).await?, true)
}

async fn offered(state: &WebState, visit: &Visit) -> Result<Vec<Choice>, Error> {
    let records = visit.records(state).await?;
    let (revision, switches) = (&visit.published.revision, visit.customer.switches);
    Ok(choices(&visit.origin, revision, &records, switches))
}

fn page(visit: &Visit, choices: Vec<Choice>, saved: bool) -> Result<Response, Error> {
    let line = |choice: Choice| Line {
        messages: capitalized(&visit.say(&choice.scope)),
        stopped_by: match &choice.standing {
            Standing::StoppedBy(broader) => visit.say(broader),
            _ => String::new(),
        },
        scope: choice.scope,
        standing: choice.standing,
    };
    html(&PreferencesPage {
        frame: &visit.frame,
        lines: choices.into_iter().map(line).collect(),
        saved,
        goes_on: visit.goes_on(),
    })
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest.clone()).collect()
}
