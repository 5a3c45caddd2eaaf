//! Owns what requests about definitions have in common: what is in force, a change, and why not.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsWrite};
use super::made::{Created, created};
use super::precondition::IfVersion;
use super::problem::{FieldError, Kind, Problem};
use crate::definitions::change::{Change, Done, Editor, Terms, What};
use crate::definitions::facts::Told;
use crate::definitions::refusal::{Mistake, Refusal};
use crate::domain::audit::By;
use crate::domain::definition::{DefinitionKind, Definitions};
use crate::domain::ids::RevisionNo;
use crate::store::{Frame, Published};
use crate::web::state::WebState;

/// How long an answer waits for the daemon to run what was changed: afterwards it does soon.
const RUNS_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What is in force, which the daemon runs in a moment if it does not yet.
pub(super) struct Known {
    pub(super) published: Arc<Published>,
    definitions: Definitions,
}

impl Known {
    pub(super) async fn of(state: &WebState) -> Result<Self, Problem> {
        Ok(Self {
            published: in_force(state).await?,
            definitions: state.store.definitions().await?,
        })
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told {
            revision: &self.published.revision,
            numbers: &self.published.numbers,
            definitions: &self.definitions,
        }
    }

    pub(super) fn frame<'a>(&'a self, state: &WebState) -> Frame<'a> {
        Frame {
            revision: &self.published.revision,
            numbers: &self.published.numbers,
            now: state.clock.now(),
        }
    }
}

async fn in_force(state: &WebState) -> Result<Arc<Published>, Problem> {
    let running = state.daemon.published();
    let latest = state.store.current_revision_no().await?;
    if latest.is_none_or(|latest| latest <= running.number) {
        return Ok(running);
    }
    let current = state.store.current_revision().await?;
    Ok(current.map_or(running, Arc::new))
}

/// A key of a patch: left out, taken away with null, or set.
#[derive(Debug, Default)]
pub(super) enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(from)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Given<T> {
    /// Puts the key into a body of the flow language.
    pub(super) fn put(&self, key: &str, body: &mut Map<String, Json>) {
        let value = match self {
            Self::Absent => return,
            Self::Null => Json::Null,
            Self::Value(value) => serde_json::to_value(value).unwrap_or_default(),
        };
        body.insert(key.to_owned(), value);
    }
}

/// The keys of an input that were given, as a body of the flow language, which has no name in it.
pub(super) fn body_of<T: Serialize>(input: &T, kind: DefinitionKind) -> Map<String, Json> {
    match serde_json::to_value(input) {
        Ok(Json::Object(mut body)) => {
            body.shift_remove(name_key(kind));
            body
        }
        _ => Map::new(),
    }
}

/// A change of one definition that somebody asks for. What it came to is told in the words of the kind.
pub(super) struct Asking<'a> {
    state: &'a WebState,
    by: By,
    kind: DefinitionKind,
    name: String,
}

impl<'a> Asking<'a> {
    pub(super) fn of(
        state: &'a WebState,
        caller: &Caller<DefinitionsWrite>,
        kind: DefinitionKind,
        name: String,
    ) -> Self {
        Self {
            state,
            by: caller.by(),
            kind,
            name,
        }
    }

    pub(super) async fn add<C>(
        self,
        body: Map<String, Json>,
        told: impl FnOnce(String, &Done) -> C,
    ) -> Result<Created<C>, Problem> {
        let (list, name) = (list(self.kind), self.name.clone());
        let done = self.make(What::Add(body), Terms::default()).await?;
        Ok(created(list, &name, told(name.clone(), &done)))
    }

    pub(super) async fn edit<C>(
        self,
        body: Map<String, Json>,
        terms: Terms,
        told: impl FnOnce(String, &Done) -> C,
    ) -> Result<axum::Json<C>, Problem> {
        let name = self.name.clone();
        let done = self.make(What::Edit(body), terms).await?;
        Ok(axum::Json(told(name, &done)))
    }

    pub(super) async fn remove(self, terms: Terms) -> Result<StatusCode, Problem> {
        self.make(What::Remove, terms).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Makes the change. It goes on when whoever asked has gone.
    async fn make(self, what: What, terms: Terms) -> Result<Done, Problem> {
        let (store, clock) = (self.state.store.clone(), Arc::clone(&self.state.clock));
        let (kind, is_conditional) = (self.kind, terms.seen.is_some());
        let change = Change {
            kind,
            name: self.name,
            what,
        };
        let by = self.by;
        let making = tokio::spawn(async move {
            let editor = Editor {
                store: &store,
                clock: &*clock,
                by: &by,
            };
            editor.change(&change, &terms).await
        });
        let made = making.await.map_err(|error| {
            tracing::error!(%error, "a change of a definition broke off");
            Problem::new(Kind::Internal, "the log of the daemon says what happened")
        })?;
        let done = made.map_err(|refusal| problem(refusal, kind, is_conditional))?;
        if let Some(revision) = done.revision {
            runs(self.state, revision).await;
        }
        Ok(done)
    }
}

/// What a change of a definition came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DefinitionChange {
    #[schema(example = "vip")]
    name: String,
    /// The revision in force with it.
    revision: Option<i32>,
    /// Whether anything is different now.
    changed: bool,
}

impl DefinitionChange {
    pub(super) fn of(name: String, done: &Done) -> Self {
        Self {
            name,
            revision: done.revision.map(|revision| revision.0),
            changed: done.changed,
        }
    }
}

/// Under which conditions an edit is made, without anything for customers.
pub(super) fn terms(condition: &IfVersion) -> Terms {
    Terms {
        seen: condition.seen(),
        ..Terms::default()
    }
}

/// Waits until the daemon runs a revision, so that what comes next meets it.
async fn runs(state: &WebState, revision: RevisionNo) {
    let runs = async {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        while state.daemon.published().number < revision {
            looks.tick().await;
        }
    };
    if tokio::time::timeout(RUNS_WITHIN, runs).await.is_err() {
        tracing::warn!(
            revision = revision.0,
            "a change of a definition does not run yet"
        );
    }
}

fn problem(refusal: Refusal, kind: DefinitionKind, is_conditional: bool) -> Problem {
    let told = refusal.to_string();
    match refusal {
        Refusal::Unknown { .. } if is_conditional => Problem::new(Kind::Moved, told),
        Refusal::Unknown { .. } => Problem::not_found(told),
        Refusal::Moved { .. } => Problem::new(Kind::Moved, told),
        Refusal::Wrong { mistakes, .. } => {
            let errors = mistakes.iter().map(|mistake| error(mistake, kind));
            Problem::invalid(errors.collect())
        }
        Refusal::Exists { .. }
        | Refusal::InFile { .. }
        | Refusal::BuiltIn(_)
        | Refusal::Loses(_)
        | Refusal::Carried { .. }
        | Refusal::Reaches(_)
        | Refusal::NoRevision => Problem::new(Kind::Conflict, told),
        Refusal::Contended => Problem::new(Kind::Unavailable, told).after(1),
        Refusal::Store(error) => error.into(),
        Refusal::BrokenOff(error) => {
            tracing::error!(%error, "a check broke off");
            Problem::new(Kind::Internal, "the log of the daemon says what happened")
        }
    }
}

/// The list of the API in which a kind stands.
fn list(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Field => "fields",
        DefinitionKind::Tag => "tags",
        DefinitionKind::Segment => "segments",
        DefinitionKind::SmartList => "smart-lists",
    }
}

/// The key under which a kind's name stands in bodies.
fn name_key(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Field => "identifier",
        DefinitionKind::Tag => "tag",
        DefinitionKind::Segment => "segment",
        DefinitionKind::SmartList => "name",
    }
}

fn error(mistake: &Mistake, kind: DefinitionKind) -> FieldError {
    let is_name = mistake.code == "field-identifier";
    let pointer = match mistake.pointer.as_deref() {
        Some("/name" | "/smart-list") => format!("/{}", name_key(kind)),
        Some("") if is_name => format!("/{}", name_key(kind)),
        other => other.unwrap_or_default().to_owned(),
    };
    FieldError::new(pointer, mistake.sentence())
}
