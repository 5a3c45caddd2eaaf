//! Owns the places of others that are told what happens: which there are, and how they take it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::instants::{micros, optional_instant};
use super::sql::{query, query_scalar};
use super::tx::{On, Tx};
use super::wants::Wants;
use crate::domain::webhook::Event;

const ALL: &str = "SELECT webhook, name, events, settings, rests, taken, given_up, failure, \
     failed_at FROM webhooks ORDER BY name";
const WANTED: &str = "SELECT webhook, events FROM webhooks WHERE rests = 0 ORDER BY webhook";
const HIGHEST: &str = "SELECT coalesce(max(webhook), 0) FROM webhooks";
const ADD: &str = "INSERT INTO webhooks (webhook, name, events, settings) VALUES ($1, $2, $3, $4)";
const CHANGE: &str = "UPDATE webhooks SET events = $2, settings = $3, rests = 0 WHERE webhook = $1";
const REMOVE: &str = "DELETE FROM webhooks WHERE webhook = $1";
const DISCARD: &str = "DELETE FROM notices WHERE bucket BETWEEN 0 AND 1023 AND webhook = $1";
const COUNTS: &str = "@everywhere(people)SELECT webhook, count(*), min(at) FROM notices \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY webhook";

const COUNT: &str =
    "UPDATE webhooks SET taken = taken + $2, given_up = given_up + $3 WHERE webhook = $1";
const FAILED: &str = "UPDATE webhooks SET failure = $2, failed_at = $3 WHERE webhook = $1";
const RESTS: &str = "UPDATE webhooks SET rests = 1 WHERE webhook = $1";

pub(super) const STATEMENTS: &[&str] = &[
    ALL, WANTED, HIGHEST, ADD, CHANGE, REMOVE, DISCARD, COUNTS, COUNT, FAILED, RESTS,
];

/// A place as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedBy {
    pub name: String,
    pub events: Vec<Event>,
    /// A hash of its settings: others than before wake a place that rests.
    pub settings: String,
}

/// A place as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookState {
    pub number: i32,
    pub name: String,
    pub events: Vec<Event>,
    pub settings: String,
    /// It said that it is gone: nothing is told until its settings change.
    pub rests: bool,
    /// How much it took, ever.
    pub taken: u64,
    /// How much was given up, ever.
    pub given_up: u64,
    /// Why it did not take something, the last time.
    pub failure: Option<String>,
    pub failed_at: Option<Timestamp>,
}

/// What waits for one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    pub waiting: u64,
    /// When the oldest of it happened.
    pub oldest: Option<Timestamp>,
}

/// How a place took what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taking {
    pub taken: u64,
    pub given_up: u64,
    /// The last failure, in words.
    pub failure: Option<String>,
    /// It said that it is gone.
    pub rests: bool,
}

/// A place that the settings no longer name, and what it is not told any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub name: String,
    pub discarded: u64,
}

impl Store {
    /// Makes the places those of the settings. What waits for one that is gone from them is discarded:
    /// which these were.
    pub async fn set_webhooks(&self, wanted: &[WantedBy]) -> Result<Vec<Dropped>> {
        let mut tx = self.write().await?;
        let known = states(&mut tx).await?;
        let mut highest: i64 = query_scalar(HIGHEST).fetch_one(&mut tx).await?;
        for place in wanted {
            let events: Vec<i64> = place.events.iter().map(|event| event.number()).collect();
            let events = serde_json::to_string(&events).unwrap_or_default();
            let found = known.iter().find(|state| state.name == place.name);
            let statement = match found {
                Some(state) if state.settings == place.settings => continue,
                Some(state) => query(CHANGE).bind(state.number),
                None => {
                    highest += 1;
                    query(ADD).bind(highest).bind(&place.name)
                }
            };
            let statement = statement.bind(events).bind(&place.settings);
            statement.execute(&mut tx).await?;
        }
        let is_gone = |state: &&WebhookState| wanted.iter().all(|place| place.name != state.name);
        let mut dropped = Vec::new();
        for state in known.iter().filter(is_gone) {
            let discarded = query(DISCARD).bind(state.number).execute(&mut tx).await?;
            query(REMOVE).bind(state.number).execute(&mut tx).await?;
            dropped.push(Dropped {
                name: state.name.clone(),
                discarded,
            });
        }
        let wants = wants(&mut tx).await?;
        tx.commit().await?;
        self.wants.store(Arc::new(wants));
        Ok(dropped)
    }

    /// Every place, by name.
    pub async fn webhooks(&self) -> Result<Vec<WebhookState>> {
        states(self.read()).await
    }

    /// What waits for each place, by its number.
    pub async fn notices_waiting(&self) -> Result<BTreeMap<i32, Backlog>> {
        let rows = query(COUNTS).fetch_all(self.read()).await?;
        let each = rows.iter().map(|row| {
            let waiting: i64 = row.try_get(1)?;
            let backlog = Backlog {
                waiting: waiting.unsigned_abs(),
                oldest: optional_instant(row.try_get(2)?)?,
            };
            Ok((row.try_get(0)?, backlog))
        });
        each.collect()
    }

    /// Looks again who is to be told of what: another process may have changed it.
    pub async fn learn_wants(&self) -> Result<()> {
        let wants = wants(self.read()).await?;
        if **self.wants.load() != wants {
            self.wants.store(Arc::new(wants));
        }
        Ok(())
    }
}

async fn wants<'c>(on: impl Into<On<'c>>) -> Result<Wants> {
    let rows = query(WANTED).fetch_all(on).await?;
    let each = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, events(row.text(1)?))));
    let each: Vec<(i32, Vec<Event>)> = each.collect::<Result<_>>()?;
    let each = each.iter();
    Ok(Wants::of(
        each.map(|(webhook, events)| (*webhook, events.as_slice())),
    ))
}

/// Those that this version knows; what cannot be read is wanted by nobody, until the daemon writes it
/// anew at its start.
fn events(written: &str) -> Vec<Event> {
    let events: Vec<i64> = serde_json::from_str(written).unwrap_or_default();
    events.into_iter().filter_map(Event::from_number).collect()
}

async fn states<'c>(on: impl Into<On<'c>>) -> Result<Vec<WebhookState>> {
    let rows = query(ALL).fetch_all(on).await?;
    let each = rows.iter().map(|row| {
        let (taken, given_up): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
        Ok(WebhookState {
            number: row.try_get(0)?,
            name: row.try_get(1)?,
            events: events(row.text(2)?),
            settings: row.try_get(3)?,
            rests: row.try_get::<i64>(4)? != 0,
            taken: taken.unsigned_abs(),
            given_up: given_up.unsigned_abs(),
            failure: row.try_get(7)?,
            failed_at: optional_instant(row.try_get(8)?)?,
        })
    });
    each.collect()
}

pub(super) async fn stand(
    tx: &mut Tx,
    webhook: i32,
    standing: &Taking,
    now: Timestamp,
) -> Result<()> {
    let [taken, given_up] = [standing.taken, standing.given_up].map(i64::try_from);
    query(COUNT)
        .bind(webhook)
        .bind(taken.unwrap_or(i64::MAX))
        .bind(given_up.unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
    if let Some(failure) = &standing.failure {
        let failed = query(FAILED).bind(webhook).bind(failure);
        failed.bind(micros(now)).execute(&mut *tx).await?;
    }
    if standing.rests {
        query(RESTS).bind(webhook).execute(tx).await?;
    }
    Ok(())
}
