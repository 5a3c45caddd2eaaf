//! Owns a simulation: what flows would do from now on with the customers that there are.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::recorder::{Keeps, Recorder, recorded};
use super::tally::Tally;
use super::timeline::{self, Line};
use super::trouble::Trouble;
use crate::clock::ManualClock;
use crate::domain::flow::FlowStatus;
use crate::domain::revision::Revision;
use crate::engine::Stepped;
use crate::store::{Counts, NewRevision, Published, Store};

/// A simulation says how far it is after so much of flow time.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// None are all.
    pub flows: Vec<String>,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Whose messages are kept word by word.
    pub customer: Option<String>,
    pub public_url: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Simulated {
    pub published: Published,
    pub tally: Tally,
    /// As everything stood before, and after.
    pub before: Counts,
    pub after: Counts,
    /// Of the customer who was asked for.
    pub timeline: Vec<Line>,
}

/// Lets time pass on a private store, which holds the customers already. `watch` hears how far it is.
pub async fn simulate(
    store: &Store,
    (revision, hash): (Revision, &str),
    request: &Request,
    watch: &(dyn Fn(Timestamp) + Sync),
) -> Result<Simulated, Trouble> {
    let clock = Arc::new(ManualClock::new(request.from));
    let revision = prepared(revision, &request.flows);
    let new = NewRevision {
        revision: &revision,
        hash,
        commit: None,
        sources: Vec::new(),
        at: request.from,
    };
    let published = store.publish(new).await?;
    let before = store.counts(request.from).await?;
    let recorder = Recorder::new(Keeps::Of(request.customer.clone()));
    let work = (published.clone(), recorder.outlets(&revision));
    let url = &request.public_url;
    let mut engine = Stepped::begin(store.clone(), clock, url, work).await?;
    let mut at = request.from;
    while at < request.until {
        at = (at + DAY).min(request.until);
        engine.run_until(at).await?;
        watch(at);
    }
    let customers: Vec<String> = request.customer.iter().cloned().collect();
    let messages = recorder.messages();
    let timeline = timeline::of(store, &published, &customers, &messages).await?;
    Ok(Simulated {
        tally: recorder.tally(),
        before,
        after: store.counts(request.until).await?,
        timeline: timeline
            .into_iter()
            .filter(|line| line.at >= request.from)
            .collect(),
        published,
    })
}

/// With channels that remember; flows that are not asked for are drafts, and those that are run.
fn prepared(revision: Revision, flows: &[String]) -> Revision {
    let mut revision = recorded(revision);
    if flows.is_empty() {
        return revision;
    }
    for flow in revision.flows.values_mut() {
        flow.status = if flows.contains(&flow.id) {
            FlowStatus::Active
        } else {
            FlowStatus::Draft
        };
    }
    revision
}
