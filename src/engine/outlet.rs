//! Owns a channel as it runs: its gateway, and how much may go through it now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::accusations::Accusations;
use super::breaker::Breaker;
use super::grants::Grants;
use super::heads::Heads;
use super::pace::{Line, Waiting};
use crate::channels::SharedGateway;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::gateway::ChannelConfig;
use crate::domain::ids::Share;
use crate::store::{self, ChannelState, Grant, Store};

/// The channels of a revision that have a gateway.
pub type Outlets = BTreeMap<Channel, Arc<Outlet>>;

/// One channel's gateway with its slots, pace and breaker.
pub struct Outlet {
    pub config: ChannelConfig,
    pub gateway: SharedGateway,
    slots: Arc<Semaphore>,
    /// Messages that are rendered: a few for each connection, and those that sleep until their instants;
    /// the others of a claim wait as they are.
    desks: Semaphore,
    flow: Mutex<Flow>,
    /// Where a pace makes messages wait for each other.
    line: Option<Arc<Line>>,
    heads: Heads,
    pub(super) accusations: Accusations,
    /// Whether other nodes send through the gateway, too.
    is_shared: bool,
    asking: tokio::sync::Mutex<()>,
}

struct Flow {
    /// What this node may send of a pace that other nodes keep, too.
    grants: Option<Grants>,
    breaker: Breaker,
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
    pub fn take(&mut self) -> Option<Slot> {
        let permit = self.slots.split(1)?;
        self.probes = false;
        Some(Slot {
            _permit: permit,
            waiting: self.outlet.line.as_ref().map(Line::one),
        })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(line) = &self.outlet.line {
            line.leave(self.messages());
        }
        let mut flow = self.outlet.flow();
        if let Some(grants) = &mut flow.grants {
            grants.refund(self.messages());
        }
        if self.probes {
            flow.breaker.withdraw_probe(self.at);
        }
    }
}

/// What a message holds until its outcome is stored.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    waiting: Option<Waiting>,
}

impl Slot {
    /// Waits until the pace of the channel lets the message go.
    pub async fn turn(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.turn().await;
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
    pub fn new(config: ChannelConfig, gateway: SharedGateway) -> Self {
        Self::with(config, gateway, false)
    }

    /// The same on a store that other nodes use, too: they keep its pace and mind its breaker together.
    pub fn shared(config: ChannelConfig, gateway: SharedGateway) -> Self {
        Self::with(config, gateway, true)
    }

    fn with(config: ChannelConfig, gateway: SharedGateway, is_shared: bool) -> Self {
        let slots = Arc::new(Semaphore::new(config.slots as usize));
        let line = config.pace.map(Line::new);
        let sleepers = line.as_ref().map_or(0, |line| line.sleepers());
        let desks = config.connections.max(1) * DESKS + sleepers;
        let flow = Mutex::new(Flow {
            grants: config.pace.filter(|_| is_shared).map(Grants::new),
            breaker: Breaker::default(),
        });
        Self {
            line,
            heads: Heads::default(),
            accusations: Accusations::default(),
            config,
            gateway,
            slots,
            desks: Semaphore::new(desks as usize),
            flow,
            is_shared,
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Says when the first message that a claimer has yet to claim is due; none: it has nothing to claim.
    pub fn reach(&self, share: Share, due: Option<Timestamp>) {
        self.heads.set(share, due);
    }

    /// How long a claimer leaves the pace to the others, if their messages are due earlier by more than `by`.
    pub fn lets_others_go(
        &self,
        share: Share,
        by: SignedDuration,
        now: Timestamp,
    ) -> Option<Duration> {
        let lets = self.line.is_some() && self.heads.is_ahead(share, by);
        lets.then(|| self.flow().breaker.rests(now).max(PACED))
    }

    /// Asks the store for what it needs of what all nodes share, before room is reserved: times of the
    /// pace, how the breaker stands, and whether this node is to probe.
    pub async fn consult(
        &self,
        store: &Store,
        state: Option<&ChannelState>,
        now: Timestamp,
    ) -> store::Result<()> {
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
        let wanted = self.flow().grants.as_mut().and_then(|g| g.wanted(now));
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let answer = store.grant(channel, wanted.span, wanted.within).await?;
        if let Some(grants) = &mut self.flow().grants {
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
        let share = self.config.slots.div_ceil(2).min(AT_ONCE);
        let mut flow = self.flow();
        let paced = match self.paced(&mut flow, free.min(share), now) {
            Ok(paced) => paced,
            Err(rest) => return Room::After(rest.max(PACED)),
        };
        let allowed = flow.breaker.allows(paced, now);
        if allowed == 0 {
            return Room::After(flow.breaker.rests(now).max(PACED));
        }
        let Ok(slots) = Arc::clone(&self.slots).try_acquire_many_owned(allowed) else {
            flow.breaker.withdraw_probe(now);
            return Room::WhenFreed;
        };
        if let Some(grants) = &mut flow.grants {
            grants.spend(allowed, now);
        }
        if let Some(line) = &self.line {
            line.join(allowed);
        }
        Room::For(Reserved {
            outlet: Arc::clone(self),
            slots,
            at: now,
            probes: flow.breaker.is_probing(),
        })
    }

    /// How many of `wanted` the pace lets be claimed now, else how long there is none.
    fn paced(&self, flow: &mut Flow, wanted: u32, now: Timestamp) -> Result<u32, Duration> {
        let Some(line) = &self.line else {
            return Ok(wanted);
        };
        let room = wanted.min(line.room());
        if room == 0 {
            return Err(line.rests(Instant::now()));
        }
        let Some(grants) = &mut flow.grants else {
            return Ok(room);
        };
        match grants.allows(room, now) {
            0 => Err(grants.rests(now)),
            granted => Ok(granted),
        }
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
