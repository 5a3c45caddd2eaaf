//! Owns asking gateways about messages of which nobody knows whether they were taken: some times within a day,
//! then they wait for a receipt, or for a person.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};

use super::beat::Beat;
use super::hear::Listener;
use super::outlet::Outlet;
use super::runtime::Engine;
use crate::channels::{Ear as _, Finding, Inquiry};
use crate::domain::channel::Channel;
use crate::domain::ids::{DispatchId, EnrollmentId, NameNo};
use crate::domain::news::{About, Fate, News, Receipt};
use crate::store::{LedgerLine, Result};

/// After the hand-over.
const AFTER: [SignedDuration; 7] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(24),
];
/// Within this a gateway may have a message that it does not show yet.
const STORED: SignedDuration = SignedDuration::from_mins(5);
/// How often it is looked who is to be asked about.
const ROUND: Duration = Duration::from_secs(5);
/// Messages of one channel that are asked about in one round.
const MOST: u32 = 1_000;
/// Requests to one gateway at once.
const AT_ONCE: usize = 4;

/// Asks, and remembers when it asked; after a start it asks once more.
pub struct Inquirer {
    engine: Arc<Engine>,
    asked: Mutex<BTreeMap<(EnrollmentId, NameNo), Timestamp>>,
}

impl Inquirer {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            asked: Mutex::default(),
        }
    }

    /// Asks about those whose time has come, and stores what is found.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn run_once(&self) -> Result<Beat> {
        if self.engine.duty.leads() {
            let mut open = Vec::new();
            for (channel, outlet) in self.engine.outlets().iter() {
                if let Some(inquiry) = outlet.gateway.inquiry() {
                    open.extend(self.of_channel(*channel, outlet, inquiry).await?);
                }
            }
            self.asked().retain(|key, _| open.contains(key));
        }
        Ok(Beat::Within(ROUND))
    }

    /// Those of the channel that are still uncertain when the round begins.
    async fn of_channel(
        &self,
        channel: Channel,
        outlet: &Outlet,
        inquiry: &dyn Inquiry,
    ) -> Result<Vec<(EnrollmentId, NameNo)>> {
        let store = &self.engine.store;
        let now = self.engine.clock.now();
        let lines = store.uncertain(Some(channel), None, MOST).await?;
        let tag = store.instance_tag().await?;
        let mut asking = Vec::new();
        for line in &lines {
            if self.is_due(line, now) {
                self.asked().insert(key(line), now);
                let id = DispatchId::new(tag, line.enrollment, line.step_number);
                asking.push(ask(inquiry, id, line.at));
            }
        }
        let at_once = AT_ONCE.min(outlet.config.connections.max(1) as usize);
        let found = stream::iter(asking).buffer_unordered(at_once);
        let found: Vec<(DispatchId, Timestamp, Finding)> = found.collect().await;
        let news = found
            .into_iter()
            .filter_map(|(id, at, finding)| receipt(id, finding, now.duration_since(at)));
        let news: Vec<News> = news.collect();
        if !news.is_empty() {
            let ear = Listener::new(Arc::clone(&self.engine), channel);
            if let Err(unheard) = ear.hear(news).await {
                tracing::warn!(%channel, %unheard, "what a gateway answered is asked again");
                self.asked().clear();
            }
        }
        Ok(lines.iter().map(key).collect())
    }

    fn is_due(&self, line: &LedgerLine, now: Timestamp) -> bool {
        let asked = self.asked().get(&key(line)).copied();
        AFTER.iter().any(|after| {
            let at = line.at.saturating_add(*after).unwrap_or(Timestamp::MAX);
            at <= now && asked.is_none_or(|asked| asked < at)
        })
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<(EnrollmentId, NameNo), Timestamp>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(line: &LedgerLine) -> (EnrollmentId, NameNo) {
    (line.enrollment, line.step_number)
}

async fn ask(
    inquiry: &dyn Inquiry,
    id: DispatchId,
    at: Timestamp,
) -> (DispatchId, Timestamp, Finding) {
    (id, at, inquiry.ask(id).await)
}

fn receipt(id: DispatchId, found: Finding, since: SignedDuration) -> Option<News> {
    let (fate, detail) = match found {
        Finding::Known(fate, detail) => (fate, detail),
        Finding::Missing(detail) if since >= STORED => (Fate::Failed, detail),
        Finding::Missing(said) | Finding::Nothing(said) => {
            tracing::info!(dispatch = %id, said, "the gateway does not say what became of a message");
            return None;
        }
    };
    Some(News::Receipt(Receipt {
        about: About::Dispatch(id),
        fate,
        at: None,
        detail,
    }))
}
