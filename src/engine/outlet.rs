//! Owns a channel as it runs: its gateway, and how much may go through it now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::breaker::Breaker;
use super::pace::Pacer;
use crate::channels::SharedGateway;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::gateway::ChannelConfig;

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
}

struct Flow {
    pacer: Pacer,
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
    pub fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        let slot = self.slots.split(1)?;
        self.probes = false;
        Some(slot)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut flow = self.outlet.flow();
        flow.pacer.refund(self.messages(), self.at);
        if self.probes {
            flow.breaker.withdraw_probe(self.at);
        }
    }
}

/// A channel that keeps its pace is looked at again after this.
const PACED: Duration = Duration::from_millis(5);

/// The most messages in one claim: more make its transaction no cheaper for each.
const AT_ONCE: u32 = 512;
/// Rendered messages for each connection: one on the wire, the others ready.
const DESKS: u32 = 4;

impl Outlet {
    pub fn new(config: ChannelConfig, gateway: SharedGateway, now: Timestamp) -> Self {
        let slots = Arc::new(Semaphore::new(config.slots as usize));
        let desks = Semaphore::new((config.connections.max(1) * DESKS) as usize);
        let pacer = Pacer::new(config.pace, now);
        let flow = Mutex::new(Flow {
            pacer,
            breaker: Breaker::default(),
        });
        Self {
            config,
            gateway,
            slots,
            desks,
            flow,
        }
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
        let paced = flow.pacer.allows(free.min(share), now);
        if paced == 0 {
            return Room::After(PACED);
        }
        let allowed = flow.breaker.allows(paced, now);
        if allowed == 0 {
            return Room::After(flow.breaker.rests(now).max(PACED));
        }
        let Ok(slots) = Arc::clone(&self.slots).try_acquire_many_owned(allowed) else {
            flow.breaker.withdraw_probe(now);
            return Room::WhenFreed;
        };
        flow.pacer.spend(allowed, now);
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

    /// Tells the breaker how an attempt went; its new state if that changed.
    pub fn note(&self, outcome: &Outcome, now: Timestamp) -> Option<&'static str> {
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
        changed.then(|| flow.breaker.as_str())
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
