//! Owns telling places of others what happens: each has its own loop, so that none waits for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::beat::Beat;
use super::runtime::Engine;
use crate::channels::webhook::{Answer, Place};
use crate::domain::ids::{CustomerId, DispatchId};
use crate::domain::webhook::next_try;
use crate::store::{Notice, Result, Taking, Told, WebhookState};

/// So many requests at once to one place.
const AT_ONCE: usize = 8;
/// So many are read at a time, and settled in one transaction.
const BATCH: u32 = 32;
/// How long something may wait until it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Tells one place.
pub struct Teller {
    engine: Arc<Engine>,
    number: i32,
    name: String,
    place: Place,
    /// It said that it is gone.
    rests: AtomicBool,
    /// What has begun is ended, and nothing more begins.
    stop: CancellationToken,
}

impl Teller {
    pub fn new(
        engine: Arc<Engine>,
        state: &WebhookState,
        place: Place,
        stop: CancellationToken,
    ) -> Self {
        Self {
            engine,
            number: state.number,
            name: state.name.clone(),
            place,
            rests: AtomicBool::new(state.rests),
            stop,
        }
    }

    /// Tells some of what waits, and writes what came of it.
    pub async fn run_once(&self) -> Result<Beat> {
        if self.rests.load(Ordering::Relaxed) {
            return Ok(Beat::Within(LOOK_EVERY));
        }
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let stripes = self.engine.duty.stripes();
        let due = store.due_notices(self.number, &stripes, now, BATCH).await?;
        if due.is_empty() {
            return Ok(Beat::Within(LOOK_EVERY));
        }
        let running = stream::iter(due).take_while(|_| {
            let goes_on = !self.stop.is_cancelled();
            async move { goes_on }
        });
        let told = running.map(|notice| self.tell(notice));
        let told: Vec<(Notice, Option<Answer>)> = told.buffer_unordered(AT_ONCE).collect().await;
        self.settle(&told).await?;
        Ok(Beat::Now)
    }

    /// None: there is nobody any more whom it is about.
    async fn tell(&self, notice: Notice) -> (Notice, Option<Answer>) {
        if !notice.stands() {
            return (notice, None);
        }
        let body = self.body(&notice).to_string();
        let now = self.engine.clock.machine();
        let answer = self.place.tell(&notice.fact, body, now).await;
        (notice, Some(answer))
    }

    fn body(&self, notice: &Notice) -> Value {
        let mut data = notice.body.clone();
        if let Some(customer) = &notice.external_id {
            data.insert("customer".to_owned(), json!(customer));
        }
        if let Some((enrollment, step, name)) = &notice.message {
            let id = DispatchId::new(self.engine.tag, *enrollment, *step);
            data.insert("dispatch".to_owned(), json!(id.to_string()));
            if let Some((flow, step)) = name.split_once('/') {
                data.insert("flow".to_owned(), json!(flow));
                data.insert("step".to_owned(), json!(step));
            }
        }
        json!({
            "type": notice.event.name(),
            "timestamp": notice.at.to_string(),
            "data": data,
        })
    }

    async fn settle(&self, answers: &[(Notice, Option<Answer>)]) -> Result<()> {
        let now = self.engine.clock.now();
        let mut taking = Taking::default();
        let told = answers.iter().map(|(notice, answer)| {
            let told = self.told(notice, answer.as_ref(), now, &mut taking);
            (notice.customer, notice.fact.clone(), told)
        });
        let told: Vec<(CustomerId, String, Told)> = told.collect();
        let store = &self.engine.store;
        store
            .settle_notices(self.number, &told, &taking, now)
            .await?;
        self.engine.metrics.webhook_told(&self.name, &taking);
        if taking.rests {
            self.rests.store(true, Ordering::Relaxed);
            tracing::warn!(
                webhook = self.name,
                "answered 410 Gone: it is told nothing more until its settings change"
            );
        }
        Ok(())
    }

    fn told(
        &self,
        notice: &Notice,
        answer: Option<&Answer>,
        now: Timestamp,
        taking: &mut Taking,
    ) -> Told {
        match answer {
            None => Told::Done,
            Some(Answer::Taken) => {
                taking.taken += 1;
                Told::Done
            }
            Some(Answer::Gone) => {
                taking.rests = true;
                taking.failure = Some("410 Gone".to_owned());
                let tries = notice.tries;
                Told::Again { due: now, tries }
            }
            Some(Answer::Failed { words, retry_after }) => {
                taking.failure = Some(words.clone());
                let tries = notice.tries + 1;
                let Some(wait) = next_try(tries, *retry_after, chance(notice)) else {
                    taking.given_up += 1;
                    let fact = &notice.fact;
                    tracing::warn!(webhook = self.name, fact, words, "given up");
                    return Told::Done;
                };
                let due = now + self.engine.clock.flow_span(wait);
                Told::Again { due, tries }
            }
        }
    }
}

/// In 0..1, another one for each try: what failed together does not come back together.
fn chance(notice: &Notice) -> f64 {
    let hash = xxh3_64_with_seed(notice.fact.as_bytes(), u64::from(notice.tries));
    f64::from(u16::try_from(hash & 0xffff).unwrap_or_default()) / f64::from(u16::MAX)
}
