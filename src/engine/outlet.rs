//! Owns a channel as it runs: its gateway, and how much may go through it now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::breaker::Breaker;
use super::grants::Grants;
use super::pace::Pacer;
use crate::channels::SharedGateway;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::gateway::ChannelConfig;
use crate::store::{ChannelState, Grant, Result, Store};

/// The channels of a revision that have a gateway.
pub type Outlets = BTreeMap<Channel, Arc<Outlet>>;

/// One channel's gateway with its slots, pace and breaker.
pub struct Outlet {
    pub config: ChannelConfig,
    pub gateway: SharedGateway,
    slots: Arc<Semaphore>,
    /// Messages that are rendered: a few for each connection; the others of a claim wait as they are.
    desks: Semaphore,
    flow: Mutex<Flow>,
    /// Whether other nodes send through the gateway, too.
    is_shared: bool,
    asking: tokio::sync::Mutex<()>,
}

struct Flow {
    pacing: Pacing,
    breaker: Breaker,
}

/// Who says how many messages may go.
enum Pacing {
    Own(Pacer),
    /// The store, for all nodes together.
    Given(Grants),
}

impl Pacing {
    fn allows(&mut self, wanted: u32, now: Timestamp) -> u32 {
        match self {
            Self::Own(pacer) => pacer.allows(wanted, now),
            Self::Given(grants) => grants.allows(wanted, now),
        }
    }

    /// How long there is none, as far as is known.
    fn rests(&self, now: Timestamp) -> Duration {
        match self {
            Self::Own(_) => Duration::ZERO,
            Self::Given(grants) => grants.rests(now),
        }
    }

    fn spend(&mut self, spent: u32, now: Timestamp) {
        match self {
            Self::Own(pacer) => pacer.spend(spent, now),
            Self::Given(grants) => grants.spend(spent, now),
        }
    }

    fn refund(&mut self, unspent: u32, at: Timestamp) {
        match self {
            Self::Own(pacer) => pacer.refund(unspent, at),
            Self::Given(grants) => grants.refund(unspent),
        }
    }
}

/// How much a channel lets through now.
pub enum Room {
    For(Reserved),
    /// When messages in flight are settled.
    WhenFreed,
    /// Not before this.
    After(Duration),
}

/// Slots, pace and perhaps the breaker's probe, for messages that are about to be claimed. What is not
/// used goes back when it is dropped.
pub struct Reserved {
    outlet: Arc<Outlet>,
    slots: OwnedSemaphorePermit,
    at: Timestamp,
    probes: bool,
}

impl Reserved {
    /// How many messages there is still room for.
    pub fn messages(&self) -> u32 {
        u32::try_from(self.slots.num_permits()).unwrap_or(u32::MAX)
    }

    /// The slot of one message.
    pub fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        let slot = self.slots.split(1)?;
        self.probes = false;
        Some(slot)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut flow = self.outlet.flow();
        flow.pacing.refund(self.messages(), self.at);
        if self.probes {
            flow.breaker.withdraw_probe(self.at);
        }
    }
}

/// A probe that has not been heard of for so long is not waited for.
const PROBE_TAKES: SignedDuration = SignedDuration::from_secs(60);

/// A channel that keeps its pace is looked at again after this.
const PACED: Duration = Duration::from_millis(5);

/// The most messages in one claim: more make its transaction no cheaper for each.
const AT_ONCE: u32 = 512;
/// Rendered messages for each connection: one on the wire, the others ready.
const DESKS: u32 = 4;

impl Outlet {
    pub fn new(config: ChannelConfig, gateway: SharedGateway, now: Timestamp) -> Self {
        let pacing = Pacing::Own(Pacer::new(config.pace, now));
        Self::with(config, gateway, (pacing, false))
    }

    /// The same on a store that other nodes use, too: they keep its pace and mind its breaker together.
    pub fn shared(config: ChannelConfig, gateway: SharedGateway, now: Timestamp) -> Self {
        let pacing = match config.pace {
            Some(pace) => Pacing::Given(Grants::new(pace)),
            None => Pacing::Own(Pacer::new(None, now)),
        };
        Self::with(config, gateway, (pacing, true))
    }

    fn with(
        config: ChannelConfig,
        gateway: SharedGateway,
        (pacing, is_shared): (Pacing, bool),
    ) -> Self {
        let slots = Arc::new(Semaphore::new(config.slots as usize));
        let desks = Semaphore::new((config.connections.max(1) * DESKS) as usize);
        let flow = Mutex::new(Flow {
            pacing,
            breaker: Breaker::default(),
        });
        Self {
            config,
            gateway,
            slots,
            desks,
            flow,
            is_shared,
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Asks the store for what it needs of what all nodes share, before room is reserved: times of the
    /// pace, how the breaker stands, and whether this node is to probe.
    pub async fn consult(
        &self,
        store: &Store,
        state: Option<&ChannelState>,
        now: Timestamp,
    ) -> Result<()> {
        if !self.is_shared {
            return Ok(());
        }
        let _one_at_a_time = self.asking.lock().await;
        let channel = self.config.channel;
        if let Some(state) = state {
            self.flow()
                .breaker
                .hear(&state.breaker, state.breaker_rests, now);
        }
        if self.flow().breaker.wants_probe(now) && !store.take_probe(channel, PROBE_TAKES).await? {
            self.flow().breaker.wait_for_probe(now);
        }
        let wanted = match &mut self.flow().pacing {
            Pacing::Given(grants) => grants.wanted(now),
            Pacing::Own(_) => None,
        };
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let answer = store.grant(channel, wanted.span, wanted.within).await?;
        if let Pacing::Given(grants) = &mut self.flow().pacing {
            match answer {
                Grant::Given(ahead) => grants.add(now + ahead, wanted.count),
                Grant::Later(rest) => grants.rest(now + rest),
            }
        }
        Ok(())
    }

    /// Reserves room for messages: free slots, pace, breaker. A few free slots are not worth a
    /// transaction while others are still busy, and at most half of them are claimed at a time, so
    /// that others are on their way meanwhile.
    pub fn room(self: &Arc<Self>, now: Timestamp) -> Room {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if free < self.config.slots.div_ceil(4).min(AT_ONCE / 2) {
            return Room::WhenFreed;
        }
        let mut flow = self.flow();
        let share = self.config.slots.div_ceil(2).min(AT_ONCE);
        let paced = flow.pacing.allows(free.min(share), now);
        if paced == 0 {
            return Room::After(flow.pacing.rests(now).max(PACED));
        }
        let allowed = flow.breaker.allows(paced, now);
        if allowed == 0 {
            return Room::After(flow.breaker.rests(now).max(PACED));
        }
        let Ok(slots) = Arc::clone(&self.slots).try_acquire_many_owned(allowed) else {
            flow.breaker.withdraw_probe(now);
            return Room::WhenFreed;
        };
        flow.pacing.spend(allowed, now);
        Room::For(Reserved {
            outlet: Arc::clone(self),
            slots,
            at: now,
            probes: flow.breaker.is_probing(),
        })
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place to render a message and hand it over.
    pub async fn desk(&self) -> Option<SemaphorePermit<'_>> {
        self.desks.acquire().await.ok()
    }

    /// Tells the breaker how an attempt went; its new state, and how long it rests, if that changed.
    pub fn note(&self, outcome: &Outcome, now: Timestamp) -> Option<(&'static str, Duration)> {
        let mut flow = self.flow();
        let failed = matches!(
            outcome,
            Outcome::Deferred {
                cause: DeferCause::Gateway,
                ..
            }
        );
        let changed = if failed {
            flow.breaker.failed(now)
        } else {
            flow.breaker.succeeded()
        };
        changed.then(|| (flow.breaker.as_str(), flow.breaker.rests(now)))
    }

    /// `closed`, `open` or `half-open`.
    pub fn breaker(&self) -> &'static str {
        self.flow().breaker.as_str()
    }

    pub fn in_flight(&self) -> u32 {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        self.config.slots.saturating_sub(free)
    }
}
