//! Owns everything that is known of one customer, read together to be shown.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::error::Error;
use super::profiles;
use super::ratings;
use super::sums;
use crate::domain::customer::Customer;
use crate::domain::environment::LastEnvironment;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Kind;
use crate::domain::note::Note;
use crate::domain::nps::LastNps;
use crate::domain::rating::Rating;
use crate::domain::rating_history::RatingChange;
use crate::domain::revision::Revision;
use crate::domain::subscription::{Dismissal, Subscription};
use crate::domain::task::Task;
use crate::store::{HistoryFilter, HistoryLine, Store, Totals};

/// One customer as a person at the bank sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    pub customer: Customer,
    pub rating: Rating,
    /// The oldest first.
    pub rating_history: Vec<RatingChange>,
    /// Fixed lists, by name.
    pub lists: Vec<String>,
    pub subscriptions: Vec<Subscription>,
    pub dismissals: Vec<Dismissal>,
    /// The newest first.
    pub notes: Vec<Note>,
    pub tasks: Vec<Task>,
    pub totals: Totals,
    pub nps: Option<LastNps>,
    pub environment: Option<LastEnvironment>,
    pub active_flows: Vec<ActiveFlow>,
    /// Newest first.
    pub history: Vec<HistoryLine>,
    /// Whether there are lines older than those.
    pub has_older: bool,
}

/// A flow that the customer is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveFlow {
    pub flow: String,
    pub since: Timestamp,
}

/// Reads a customer as of `now`, with at most `limit` lines of history.
pub async fn overview(
    store: &Store,
    revision: &Revision,
    customer: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Overview, Error> {
    let customer = profiles::customer(store, revision, customer).await?;
    let id = customer.id;
    let subscriptions = store.subscriptions_of(&[id]).await?.remove(&id);
    let dismissals = store.dismissals_of(&[id]).await?.remove(&id);
    let all = HistoryFilter {
        reuses: revision.reuses(),
        ..HistoryFilter::default()
    };
    let one_more = limit.saturating_add(1);
    let mut history = store.history(id, &all, one_more).await?;
    let has_older = history.len() > limit;
    history.truncate(limit);
    Ok(Overview {
        rating: rating(&customer, revision, now),
        rating_history: ratings::history(store, revision, &customer, now).await?,
        lists: store.lists_of(id).await?,
        subscriptions: subscriptions.unwrap_or_default(),
        dismissals: dismissals.unwrap_or_default(),
        notes: store.notes_of(id).await?,
        tasks: store.tasks_of(id).await?,
        totals: sums::totals(store, revision, id).await?,
        nps: store.nps_of(&[id]).await?.remove(&id),
        environment: store.environment_of(id).await?,
        active_flows: active_flows(store, id).await?,
        history,
        has_older,
        customer,
    })
}

/// How active a customer is on the day of `now` in the workspace's zone.
pub fn rating(customer: &Customer, revision: &Revision, now: Timestamp) -> Rating {
    let zone = revision.time_zone();
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let last_activity = customer.last_activity_at.map(day);
    Rating::of(customer.status, last_activity, day(now), revision.rating)
}

/// The flows that were entered and not left: a customer is never twice in one at a time.
async fn active_flows(store: &Store, customer: CustomerId) -> Result<Vec<ActiveFlow>, Error> {
    let kinds = [Kind::EnteredFlow, Kind::CompletedFlow, Kind::ExitedFlow];
    let filter = HistoryFilter {
        kinds: kinds.map(|kind| kind.as_str().to_owned()).to_vec(),
        ..HistoryFilter::default()
    };
    let mut entered: BTreeMap<String, (usize, Timestamp)> = BTreeMap::new();
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for line in store.history(customer, &filter, usize::MAX).await? {
        let Some(flow) = line.flow else { continue };
        if line.kind == Kind::EnteredFlow.as_str() {
            let runs = entered.entry(flow).or_insert((0, line.at));
            runs.0 += 1;
        } else {
            *left.entry(flow).or_default() += 1;
        }
    }
    let still = entered
        .into_iter()
        .filter(|(flow, (runs, _))| *runs > left.get(flow).copied().unwrap_or_default());
    Ok(still
        .map(|(flow, (_, since))| ActiveFlow { flow, since })
        .collect())
}
