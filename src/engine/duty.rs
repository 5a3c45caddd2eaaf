//! Owns which node does what: the buckets this one works for, taken, renewed, handed over and lost.
//!
//! A file has one daemon, and it works for all. On a server each node renews its time; what it holds
//! counts only while that is not over by its own clock, a little before it is over by the database's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::domain::assignment::assign;
use crate::domain::ids::{Bucket, Incarnation, STRIPE, STRIPES, Stripes};
use crate::store::{Presence, Result, Store};

/// How long a node that says nothing counts as running.
const TIME: Duration = Duration::from_secs(10);
/// A node itself stops a little before.
pub(super) const OWN_TIME: Duration = Duration::from_secs(8);
/// The bucket whose holder does what is done once for all.
const LEADING: Bucket = Bucket(0);

/// The buckets that this node works for.
pub struct Duty {
    held: ArcSwap<Stripes>,
    /// Those that are this node's, be it only until what is in flight has ended.
    leased: ArcSwap<Stripes>,
    /// Taken, but what others left there is not settled yet.
    pending: Mutex<Stripes>,
    /// Until when that counts; none: for ever.
    until: Mutex<Option<Instant>>,
    /// Kept by a pass from reading what is held until its messages are counted as flying.
    passes: RwLock<()>,
    /// Messages in flight, by stripe.
    flying: Vec<AtomicU32>,
    /// What others see of this node.
    presence: Mutex<Presence>,
}

/// A message in flight keeps its stripe until its outcome is stored.
#[derive(Debug)]
pub struct Flying {
    duty: Arc<Duty>,
    stripe: usize,
}

/// What a round of the duty came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Round {
    /// Stripes that came to this node: claims of others in them are to be settled before it works there.
    pub taken: Stripes,
}

impl Duty {
    /// Of a node among others, or of the only one.
    pub fn of(shared: bool, name: &str) -> Arc<Self> {
        if shared {
            Self::shared(name)
        } else {
            Self::alone()
        }
    }

    /// For all buckets, for ever.
    pub fn alone() -> Arc<Self> {
        Arc::new(Self::holding(Stripes::all(), None))
    }

    /// For none yet.
    fn shared(name: &str) -> Arc<Self> {
        let duty = Self::holding(Stripes::default(), Some(Instant::now()));
        name.clone_into(&mut duty.presence().name);
        Arc::new(duty)
    }

    fn holding(held: Stripes, until: Option<Instant>) -> Self {
        Self {
            leased: ArcSwap::from_pointee(held.clone()),
            held: ArcSwap::from_pointee(held),
            pending: Mutex::default(),
            until: Mutex::new(until),
            passes: RwLock::new(()),
            flying: (0..STRIPES).map(|_| AtomicU32::new(0)).collect(),
            presence: Mutex::default(),
        }
    }

    /// The stripes that this node works for now.
    pub fn stripes(&self) -> Arc<Stripes> {
        if self.is_over() {
            return Arc::default();
        }
        self.held.load_full()
    }

    /// Whether this node works for the bucket now.
    pub fn holds(&self, bucket: Bucket) -> bool {
        !self.is_over() && self.held.load().contains(bucket)
    }

    /// Whether a message in flight may still be handed over.
    pub fn may_hand_over(&self, bucket: Bucket) -> bool {
        !self.is_over() && self.leased.load().contains(bucket)
    }

    /// Whether this node does what is done once for all.
    pub fn leads(&self) -> bool {
        self.holds(LEADING)
    }

    /// Keeps what is held from being handed over while a pass claims.
    pub async fn pass(&self) -> RwLockReadGuard<'_, ()> {
        self.passes.read().await
    }

    /// Counts a message in flight.
    pub fn fly(self: &Arc<Self>, bucket: Bucket) -> Flying {
        let stripe = usize::from(bucket.0 / STRIPE);
        if let Some(flying) = self.flying.get(stripe) {
            flying.fetch_add(1, Ordering::SeqCst);
        }
        Flying {
            duty: Arc::clone(self),
            stripe,
        }
    }

    /// What others see of this node from its next round on.
    pub fn show(&self, files: Option<String>, revision: i32) {
        let mut presence = self.presence();
        presence.files = files;
        presence.revision = Some(revision);
    }

    /// Renews this node's time, gives up what others are to have, and takes what is this node's and free.
    pub async fn round(&self, store: &Store, node: Incarnation) -> Result<Round> {
        let begun = Instant::now();
        let presence = self.presence().clone();
        let micros = i64::try_from(TIME.as_micros()).unwrap_or(i64::MAX);
        store.renew(node, micros, &presence).await?;
        let nodes = store.live_nodes().await?;
        let owners = store.stripe_owners().await?;
        let live: Vec<Incarnation> = nodes.iter().map(|n| n.node).collect();
        let staying = nodes.iter().filter(|n| !n.leaving).map(|n| n.node);
        let staying: Vec<Incarnation> = staying.collect();
        let wanted = assign(&staying).remove(&node).unwrap_or_default();
        self.keep(&wanted, &owners, node);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun + OWN_TIME);
        self.give_up(store, node, &wanted, &owners).await?;
        let is_free = |stripe: &u16| owners.get(stripe).is_none_or(|owner| !live.contains(owner));
        let free: Stripes = wanted.iter().filter(is_free).collect();
        let mut taken = self.pending().clone();
        if !free.is_empty() {
            // Before it is known which are taken: if the answer is lost, a later round sees which are,
            // and that what others left there is not settled yet.
            self.await_settling(&free);
            let more = store.take_stripes(node, &free).await?;
            taken = taken.iter().chain(more.iter()).collect();
        }
        Ok(Round { taken })
    }

    fn await_settling(&self, stripes: &Stripes) {
        let mut pending = self.pending();
        *pending = pending.iter().chain(stripes.iter()).collect();
    }

    /// Those of taken stripes in which nothing is in flight from before this node lost them: what it
    /// did not store meanwhile, nobody stores any more.
    pub async fn quiet(&self, taken: &Stripes) -> Stripes {
        if !taken.is_empty() {
            drop(self.passes.write().await);
        }
        taken.iter().filter(|s| self.is_quiet(*s)).collect()
    }

    fn is_quiet(&self, stripe: u16) -> bool {
        let flying = self.flying.get(usize::from(stripe));
        flying.is_none_or(|flying| flying.load(Ordering::SeqCst) == 0)
    }

    /// Works for stripes that were taken, from now on.
    pub fn add(&self, taken: &Stripes) {
        let held = self.held.load();
        let held: Stripes = held.iter().chain(taken.iter()).collect();
        self.held.store(Arc::new(held));
        let leased = self.leased.load();
        let leased: Stripes = leased.iter().chain(taken.iter()).collect();
        self.leased.store(Arc::new(leased));
        let mut pending = self.pending();
        let taken: BTreeSet<u16> = taken.iter().collect();
        *pending = pending.iter().filter(|s| !taken.contains(s)).collect();
    }

    /// From the next round on everything is given up, stripe by stripe as nothing of it is in flight.
    pub fn retire(&self) {
        self.presence().leaving = true;
    }

    /// Gives up everything, once nothing is in flight: the last thing a node does.
    pub async fn leave(&self, store: &Store, node: Incarnation) -> Result<()> {
        self.held.store(Arc::default());
        drop(self.passes.write().await);
        self.leased.store(Arc::default());
        store.release_stripes(node, &Stripes::all()).await?;
        store.leave(node).await
    }

    /// Of what is held, and of what the store says is this node's, what it is to have.
    fn keep(&self, wanted: &Stripes, owners: &BTreeMap<u16, Incarnation>, node: Incarnation) {
        let ours = owners.iter().filter(|(_, owner)| **owner == node);
        self.leased
            .store(Arc::new(ours.map(|(stripe, _)| *stripe).collect()));
        let mut pending = self.pending();
        let is_ours = |stripe: &u16| owners.get(stripe) == Some(&node);
        *pending = pending.iter().filter(is_ours).collect();
        let is_settled = |stripe: &u16| !pending.contains(Bucket(stripe * STRIPE));
        let ready = |stripe: &u16| is_ours(stripe) && is_settled(stripe);
        let held: Stripes = wanted.iter().filter(ready).collect();
        if **self.held.load() != held {
            self.held.store(Arc::new(held));
        }
    }

    /// Stripes that others are to have are theirs as soon as nothing of them is in flight here.
    async fn give_up(
        &self,
        store: &Store,
        node: Incarnation,
        wanted: &Stripes,
        owners: &BTreeMap<u16, Incarnation>,
    ) -> Result<()> {
        let ours = owners.iter().filter(|(_, owner)| **owner == node);
        let unwanted = ours.map(|(stripe, _)| *stripe).filter(|stripe| {
            let bucket = Bucket(stripe * STRIPE);
            !wanted.contains(bucket)
        });
        let unwanted: Vec<u16> = unwanted.collect();
        if unwanted.is_empty() {
            return Ok(());
        }
        // A pass that began before has counted its messages when this comes.
        drop(self.passes.write().await);
        let done = unwanted.into_iter().filter(|s| self.is_quiet(*s));
        let done: Stripes = done.collect();
        if done.is_empty() {
            return Ok(());
        }
        store.release_stripes(node, &done).await
    }

    fn is_over(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() >= until)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Stripes> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn presence(&self) -> std::sync::MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Duty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duty")
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        if let Some(flying) = self.duty.flying.get(self.stripe) {
            flying.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
