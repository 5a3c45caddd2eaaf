//! Owns settling: outcomes gather for a moment, are written in one transaction, and only then free their slots.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::catalog::{Catalog, Walk};
use super::duty::Flying;
use super::handover::Place;
use super::outlet::{Outlet, Slot};
use super::runtime::Engine;
use super::send::{self, Attempted, Claim, Leased};
use crate::domain::dispatch::{self, ClaimFacts, DispatchState, Outcome, Reason, Settlement};
use crate::domain::message::Frozen;
use crate::store::{Error as StoreError, GoneDevice, Move, Settled, Work};

/// The most outcomes in one transaction; fewer than these few wait for more, at most so long.
const GROUP: usize = 1_000;
const FEW: usize = 100;
const GATHER: Duration = Duration::from_millis(2);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A settled attempt with what it holds until it is stored.
pub struct Done {
    settled: Settled,
    marks_sends: bool,
    held: Held,
}

/// What is given back when the outcome is stored.
type Held = (Place, Flying, Option<Slot>);

/// Where slots bring their outcomes.
#[derive(Clone)]
pub struct Settler {
    engine: Arc<Engine>,
    outcomes: mpsc::UnboundedSender<Done>,
    slots: TaskTracker,
}

impl Settler {
    /// The settler, and the outcomes to be written by [`Settler::write`].
    pub fn new(engine: Arc<Engine>) -> (Self, mpsc::UnboundedReceiver<Done>) {
        let (outcomes, receiver) = mpsc::unbounded_channel();
        (
            Self {
                engine,
                outcomes,
                slots: TaskTracker::new(),
            },
            receiver,
        )
    }

    /// Sends a claimed message in a task of its own, and brings its outcome.
    pub fn spawn(
        &self,
        claim: Claim,
        catalog: Arc<Catalog>,
        outlet: Arc<Outlet>,
        mut slot: Option<Slot>,
    ) {
        let key = (claim.due.enrollment, claim.due.step, claim.attempt);
        let place = self.engine.marks.place(key);
        let flying = self.engine.duty.fly(claim.due.enrollment.bucket());
        self.engine.metrics.claimed(claim.channel);
        let settler = self.clone();
        self.slots.spawn(async move {
            let settled = settler
                .attempt(&claim, &catalog, &outlet, &place, slot.as_mut())
                .await;
            let marks_sends = catalog.marks_sends;
            let done = Done {
                settled,
                marks_sends,
                held: (place, flying, slot),
            };
            if settler.outcomes.send(done).is_err() {
                tracing::error!("an outcome came after the end");
            }
        });
    }

    /// Waits until no message is in flight.
    pub async fn drained(&self) {
        self.slots.close();
        self.slots.wait().await;
    }

    async fn attempt(
        &self,
        claim: &Claim,
        catalog: &Arc<Catalog>,
        outlet: &Outlet,
        place: &Place,
        slot: Option<&mut Slot>,
    ) -> Settled {
        let engine = &self.engine;
        let place = &Leased {
            place,
            duty: &engine.duty,
            bucket: claim.due.enrollment.bucket(),
        };
        let desk = outlet.desk().await;
        // What few need is kept out of every message's task.
        let frozen = match claim.attempt {
            1 => Ok(None),
            _ => Box::pin(self.frozen(claim)).await,
        };
        if let Some(slot) = slot {
            slot.turn().await;
        }
        let attempted = match frozen {
            Ok(frozen) => send::attempt(engine, catalog, outlet, claim, frozen, place).await,
            Err(error) => {
                let detail = format!("the frozen message cannot be read: {error}");
                Attempted::NotMade {
                    reason: Reason::TemplateError,
                    detail,
                }
            }
        };
        drop(desk);
        if let Attempted::Sent(sent) = &attempted
            && let Some(moved) = outlet.note(&sent.outcome, engine.clock.machine())
        {
            Box::pin(self.tell(moved, claim, &sent.outcome)).await;
        }
        settled(
            engine,
            catalog,
            outlet,
            claim,
            attempted,
            engine.clock.now(),
        )
    }

    /// What an earlier try rendered. While the store cannot be asked, the message waits.
    async fn frozen(&self, claim: &Claim) -> Result<Option<Frozen>, String> {
        let key = (claim.due.enrollment, claim.due.step);
        let mut bodies = loop {
            match self.engine.store.frozen(&[key]).await {
                Ok(bodies) => break bodies,
                Err(error) => {
                    tracing::error!(%error, "cannot read a frozen message, trying again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        };
        let body = bodies.remove(&claim.due.enrollment);
        body.map(|body| serde_json::from_str(&body).map_err(|e| e.to_string()))
            .transpose()
    }

    /// Says that a gateway's breaker moved.
    async fn tell(&self, moved: (&'static str, Duration), claim: &Claim, outcome: &Outcome) {
        let (now, breaker) = (self.engine.clock.machine(), moved.0);
        let detail = match outcome {
            Outcome::Accepted { detail, .. }
            | Outcome::Deferred { detail, .. }
            | Outcome::Refused { detail, .. }
            | Outcome::Uncertain { detail } => detail,
        };
        tracing::warn!(channel = %claim.channel, breaker, detail, "the gateway's breaker moved");
        let channel = super::metrics::OfChannel {
            channel: claim.channel.as_str(),
        };
        self.engine
            .metrics
            .breaker
            .get_or_create(&channel)
            .set(match breaker {
                "closed" => 0,
                "half-open" => 1,
                _ => 2,
            });
        if let Err(error) = self
            .engine
            .store
            .set_breaker(claim.channel, moved, detail, now)
            .await
        {
            tracing::error!(%error, "cannot store the breaker's state");
        }
    }

    /// Writes outcomes until all senders are gone.
    pub async fn write(engine: Arc<Engine>, mut outcomes: mpsc::UnboundedReceiver<Done>) {
        let mut group = Vec::with_capacity(GROUP);
        while outcomes.recv_many(&mut group, GROUP).await > 0 {
            if group.len() < FEW {
                let more = gather(&mut outcomes, &mut group);
                let _ = tokio::time::timeout(GATHER, more).await;
            }
            store(&engine, std::mem::take(&mut group)).await;
            engine.freed.notify_waiters();
        }
    }
}

async fn gather(outcomes: &mut mpsc::UnboundedReceiver<Done>, group: &mut Vec<Done>) {
    while group.len() < FEW {
        match outcomes.recv().await {
            Some(done) => group.push(done),
            None => break,
        }
    }
}

/// Stores a group; a group that cannot be stored whole is stored one by one, so that one bad row
/// keeps nobody else's outcome.
async fn store(engine: &Engine, group: Vec<Done>) {
    let now = engine.clock.now();
    let asked_now = engine.catalog().marks_sends;
    let marks = asked_now || group.iter().any(|done| done.marks_sends);
    let (settled, held): (Vec<Settled>, Vec<Held>) = group
        .into_iter()
        .map(|done| (done.settled, done.held))
        .unzip();
    let settled = Arc::new(settled);
    if let Err(error) = write(engine, Arc::clone(&settled), marks, now).await {
        tracing::error!(%error, outcomes = settled.len(), "cannot settle together, trying one by one");
        for one in settled.iter() {
            store_one(engine, one, marks, now).await;
        }
    }
    for one in settled.iter() {
        engine.metrics.freed(one.channel);
        let (channel, state) = (one.channel.as_str(), one.settlement.state.as_str());
        let label = super::metrics::Settled { channel, state };
        engine.metrics.settled.get_or_create(&label).inc();
        if one.settlement.pauses_channel {
            let said = &one.settlement.detail;
            tracing::error!(
                channel,
                said,
                "a policy turns messages away: the channel is paused"
            );
            engine.metrics.turned_away(one.channel);
        }
    }
    drop(held);
}

/// An outcome is never given up: until it is stored its slot stays taken and nothing more is sent through it.
async fn store_one(engine: &Engine, settled: &Settled, marks: bool, now: Timestamp) {
    for attempt in 1.. {
        let alone = Arc::new(vec![settled.clone()]);
        match write(engine, alone, marks, now).await {
            Ok(()) => return,
            Err(error) => {
                let enrollment = settled.enrollment.0;
                tracing::error!(%error, enrollment, attempt, "cannot settle, trying again");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

async fn write(
    engine: &Engine,
    settled: Arc<Vec<Settled>>,
    marks: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let work = Work::Settled {
        settled,
        marks,
        now,
    };
    engine.desk.write(&engine.store, work).await.map(|_| ())
}

/// Turns an attempt into what is stored.
pub(super) fn settled(
    engine: &Engine,
    catalog: &Catalog,
    outlet: &Outlet,
    claim: &Claim,
    attempted: Attempted,
    now: Timestamp,
) -> Settled {
    let (settlement, reason, frozen, gone) = match attempted {
        Attempted::NotMade { reason, detail } => (not_made(detail), Some(reason), None, Vec::new()),
        Attempted::Sent(sent) => {
            let send::Sent {
                outcome,
                gone,
                frozen,
            } = *sent;
            let facts = ClaimFacts {
                attempt: claim.attempt,
                first_tried_at: claim.first_at,
                policy: outlet.config.retry,
                on_uncertain: outlet.config.on_uncertain(),
            };
            let chance = chance(claim);
            (
                dispatch::settle(&facts, outcome, now, chance),
                None,
                Some(frozen),
                gone,
            )
        }
    };
    let awaited = matches!(
        settlement.state,
        DispatchState::Deferred | DispatchState::Uncertain
    );
    let frozen = frozen
        .filter(|_| awaited)
        .and_then(|frozen| serde_json::to_string(&frozen).ok());
    Settled {
        enrollment: claim.due.enrollment,
        customer: claim.due.customer,
        step: claim.due.step,
        channel: claim.channel,
        attempt: claim.attempt,
        incarnation: engine.incarnation,
        then: settlement
            .advances
            .then(|| onward(catalog, claim, reason.is_some(), now)),
        settlement,
        reason,
        frozen,
        address: claim.address.clone(),
        receipts: outlet.config.receipts(),
        gone: gone.iter().map(GoneDevice::from).collect(),
    }
}

fn not_made(detail: String) -> Settlement {
    Settlement {
        state: DispatchState::Withheld,
        detail,
        gateway_id: None,
        retry_at: None,
        advances: true,
        suppresses_address: false,
        pauses_channel: false,
    }
}

/// Where the customer goes now that the step is finished.
fn onward(catalog: &Catalog, claim: &Claim, skipped: bool, now: Timestamp) -> Move {
    let zone = catalog.zone_of(&claim.customer);
    let walk = Walk {
        now,
        reckoning: catalog.reckoning(&zone),
        started_at: claim.due.started_at,
        revision: catalog.number(),
    };
    let gone = Move::Completed { look_again: None };
    let Some(plan) = catalog.plan(claim.due.flow) else {
        return gone;
    };
    match plan.step(claim.due.step) {
        Some(step) if skipped => plan.skip(step, walk),
        Some(step) => plan.advance(step, walk),
        None => gone,
    }
}

/// Spreads retries; the same for the same attempt, so that a replay decides alike.
#[expect(
    clippy::cast_precision_loss,
    reason = "a fraction of 2^64 needs no more than 52 bits"
)]
fn chance(claim: &Claim) -> f64 {
    let seed = claim.due.enrollment.0.to_le_bytes();
    let hash = xxh3_64_with_seed(&seed, u64::from(claim.attempt));
    hash as f64 / u64::MAX as f64
}
