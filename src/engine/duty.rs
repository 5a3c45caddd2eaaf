//! Owns which node does what: the buckets this one works for, taken, renewed, handed over and lost.
//!
//! A file has one daemon, and it works for all. On a server each node renews its time; what it holds
//! counts only while that is not over by its own clock, a little before it is over by the database's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    /// Of those this node's: where nothing is left to settle from before they came to it.
    settled: Mutex<Stripes>,
    /// Until when that counts; none: for ever.
    until: Mutex<Option<Instant>>,
    /// Kept by a pass from reading what is held until its messages are counted as flying.
    passes: RwLock<()>,
    /// Messages in flight, by stripe.
    flying: Vec<AtomicU32>,
    /// What others see of this node.
    presence: Mutex<Presence>,
    /// It works for nobody for now.
    aside: AtomicBool,
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
    /// Stripes that are this node's to have, and in which what is left from before is to be settled
    /// before it works there.
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
            settled: Mutex::default(),
            until: Mutex::new(until),
            passes: RwLock::new(()),
            flying: (0..STRIPES).map(|_| AtomicU32::new(0)).collect(),
            presence: Mutex::default(),
            aside: AtomicBool::new(false),
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
        let mut presence = self.presence().clone();
        presence.leaving |= self.aside.load(Ordering::SeqCst);
        let micros = i64::try_from(TIME.as_micros()).unwrap_or(i64::MAX);
        store.renew(node, micros, &presence).await?;
        let nodes = store.live_nodes().await?;
        let owners = store.stripe_owners().await?;
        let live: Vec<Incarnation> = nodes.iter().map(|n| n.node).collect();
        let staying = nodes.iter().filter(|n| !n.leaving).map(|n| n.node);
        let staying: Vec<Incarnation> = staying.collect();
        let wanted = assign(&staying).remove(&node).unwrap_or_default();
        let mut taken = self.keep(&wanted, &owners, node);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun + OWN_TIME);
        self.give_up(store, node, &wanted, &owners).await?;
        let is_free = |stripe: &u16| owners.get(stripe).is_none_or(|owner| !live.contains(owner));
        let free: Stripes = wanted.iter().filter(is_free).collect();
        if !free.is_empty() {
            // If the answer is lost, a later round finds what was taken, however late that was.
            let more = store.take_stripes(node, &free).await?;
            taken = taken.with(&more);
        }
        Ok(Round { taken })
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
        self.held.store(Arc::new(self.held.load().with(taken)));
        self.leased.store(Arc::new(self.leased.load().with(taken)));
        let mut settled = self.settled();
        *settled = settled.with(taken);
    }

    /// From the next round on everything is given up, stripe by stripe as nothing of it is in flight.
    pub fn retire(&self) {
        self.presence().leaving = true;
    }

    /// From the next round on everything is given up, until it may work again.
    pub fn stand_aside(&self, aside: bool) {
        self.aside.store(aside, Ordering::SeqCst);
    }

    /// Gives up everything, once nothing is in flight: the last thing a node does.
    pub async fn leave(&self, store: &Store, node: Incarnation) -> Result<()> {
        self.held.store(Arc::default());
        drop(self.passes.write().await);
        self.leased.store(Arc::default());
        store.release_stripes(node, &Stripes::all()).await?;
        store.leave(node).await
    }

    /// Holds what this node is to have, what the store says is its own, and what it has settled since it
    /// first found it so; gives back what is still to be settled.
    ///
    /// It never matters how a stripe came to be its own, or when: the answer to a take may be lost, and
    /// the take be there only after a round that saw nothing of it.
    fn keep(
        &self,
        wanted: &Stripes,
        owners: &BTreeMap<u16, Incarnation>,
        node: Incarnation,
    ) -> Stripes {
        let ours = owners.iter().filter(|(_, owner)| **owner == node);
        let ours: Stripes = ours.map(|(stripe, _)| *stripe).collect();
        let mut settled = self.settled();
        *settled = settled.both(&ours);
        let held = wanted.both(&settled);
        if **self.held.load() != held {
            self.held.store(Arc::new(held));
        }
        let unsettled = wanted.both(&ours).without(&settled);
        self.leased.store(Arc::new(ours));
        unsettled
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

    fn settled(&self) -> std::sync::MutexGuard<'_, Stripes> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Incarnation = Incarnation(7);
    const OTHER: Incarnation = Incarnation(8);

    fn stripes(stripes: &[u16]) -> Stripes {
        stripes.iter().copied().collect()
    }

    /// What is to be settled, and what is held then.
    fn round(duty: &Duty, wanted: &[u16], owners: &[(u16, Incarnation)]) -> (Stripes, Stripes) {
        let unsettled = duty.keep(&stripes(wanted), &owners.iter().copied().collect(), ME);
        (unsettled, Stripes::clone(&duty.stripes()))
    }

    #[test]
    fn a_stripe_is_settled_before_it_is_held_however_late_it_turns_out_to_be_this_nodes() {
        let duty = Duty::holding(Stripes::default(), None);
        let nothing = stripes(&[]);
        // Both were asked for; one comes to light only after rounds that saw nothing of it.
        assert_eq!(
            round(&duty, &[1, 2], &[(1, ME)]),
            (stripes(&[1]), nothing.clone())
        );
        duty.add(&stripes(&[1]));
        assert_eq!(
            round(&duty, &[1, 2], &[(1, ME)]),
            (nothing.clone(), stripes(&[1]))
        );
        let both = [(1, ME), (2, ME)];
        assert_eq!(round(&duty, &[1, 2], &both), (stripes(&[2]), stripes(&[1])));
        assert!(duty.may_hand_over(Bucket(32)));
        duty.add(&stripes(&[2]));
        assert_eq!(round(&duty, &[1, 2], &both), (nothing, stripes(&[1, 2])));
    }

    #[test]
    fn a_stripe_that_was_lost_is_settled_again_when_it_comes_back() {
        let duty = Duty::holding(Stripes::default(), None);
        duty.add(&stripes(&[1]));
        for lost in [&[][..], &[(1, OTHER)]] {
            assert_eq!(
                round(&duty, &[1], lost),
                (Stripes::default(), Stripes::default())
            );
            assert!(!duty.may_hand_over(Bucket(16)));
            assert_eq!(
                round(&duty, &[1], &[(1, ME)]),
                (stripes(&[1]), Stripes::default())
            );
            duty.add(&stripes(&[1]));
        }
    }

    #[test]
    fn a_stripe_that_others_are_to_have_is_neither_settled_nor_held() {
        let duty = Duty::holding(Stripes::default(), None);
        assert_eq!(
            round(&duty, &[2], &[(1, ME)]),
            (Stripes::default(), Stripes::default())
        );
    }
}
