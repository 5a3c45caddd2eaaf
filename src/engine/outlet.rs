//! Owns a channel as it runs: its gateway, and how much may go through it now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    For(u32),
    /// When messages in flight are settled.
    WhenFreed,
    /// Not before this.
    After(Duration),
}

/// A channel that keeps its pace is looked at again after this.
const PACED: Duration = Duration::from_millis(5);

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

    /// How many messages may be claimed now: free slots, pace, breaker. A few free slots are not
    /// worth a transaction while others are still busy, and half of them are claimed at a time, so
    /// that one half is on its way while the other is claimed.
    pub fn room(&self, now: Timestamp) -> Room {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if free.saturating_mul(4) < self.config.slots {
            return Room::WhenFreed;
        }
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let paced = flow
            .pacer
            .allows(free.min(self.config.slots.div_ceil(2)), now);
        if paced == 0 {
            return Room::After(PACED);
        }
        match flow.breaker.allows(paced, now) {
            0 => Room::After(flow.breaker.rests(now).max(PACED)),
            messages => Room::For(messages),
        }
    }

    /// Takes slots for claimed messages, and counts them against the pace.
    pub fn take(&self, claimed: usize, now: Timestamp) -> Vec<Option<OwnedSemaphorePermit>> {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        flow.pacer.spend(claimed, now);
        if claimed == 0 {
            flow.breaker.withdraw_probe(now);
        }
        (0..claimed)
            .map(|_| Arc::clone(&self.slots).try_acquire_owned().ok())
            .collect()
    }

    /// Waits for a place to render a message and hand it over.
    pub async fn desk(&self) -> Option<SemaphorePermit<'_>> {
        self.desks.acquire().await.ok()
    }

    /// Tells the breaker how an attempt went; its new state if that changed.
    pub fn note(&self, outcome: &Outcome, now: Timestamp) -> Option<&'static str> {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.flow
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .breaker
            .as_str()
    }

    pub fn in_flight(&self) -> u32 {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        self.config.slots.saturating_sub(free)
    }
}
