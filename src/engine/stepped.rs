//! Owns an engine that is stepped by hand: its real loops over a store of its own, on a clock that stands still
//! until everything up to now is done.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::beat::Beat;
use super::catalog::Catalog;
use super::claim::Claimer;
use super::duty::Duty;
use super::enroll::Enroller;
use super::handover::Marks;
use super::instants;
use super::outlet::Outlets;
use super::park::Parker;
use super::runtime::{Engine, Links};
use super::settle::{Done, Settler};
use crate::clock::{Clock, ManualClock};
use crate::domain::channel::Lane;
use crate::domain::ids::Share;
use crate::domain::link::LinkKey;
use crate::store::{Error, Ownership, Pass, Published, Result, Store};

/// An edge of a segment is looked at so long after the last one.
const AFTER_EDGE: SignedDuration = SignedDuration::from_millis(250);
/// The claimer asks again after less than this when something is on its way.
const SOON: Duration = Duration::from_millis(1);
const HOLDER: &str = "a simulation";

/// One engine with its loops.
pub struct Stepped {
    engine: Arc<Engine>,
    clock: Arc<ManualClock>,
    enroller: Enroller,
    parker: Parker,
    claimer: Claimer,
    outcomes: UnboundedReceiver<Done>,
    _ownership: Ownership,
}

impl Stepped {
    /// On a store that nobody else uses; its links lead nowhere.
    pub async fn begin(
        store: Store,
        clock: Arc<ManualClock>,
        public_url: &str,
        (published, outlets): (Published, Outlets),
    ) -> Result<Self> {
        let ownership = store.own(HOLDER).await?;
        let marks = Marks::open(&store.beside("handover"));
        let marks = marks.map_err(|error| Error::Unusable(error.to_string()))?;
        let tag = store.instance_tag().await?;
        let catalog = Catalog::new(published, store.successors().await?);
        let links = Links {
            public_url: public_url.to_owned(),
            key: LinkKey::new([0; 32]),
        };
        let engine = Arc::new(Engine::new(
            store,
            Arc::clone(&clock) as Arc<dyn Clock>,
            (ownership.incarnation, tag),
            (marks, Duty::of(false, HOLDER)),
            links,
            (catalog, outlets),
        ));
        let (settler, outcomes) = Settler::new(Arc::clone(&engine));
        Ok(Self {
            enroller: Enroller::new(Arc::clone(&engine)),
            parker: Parker::new(Arc::clone(&engine)),
            claimer: Claimer::new(Arc::clone(&engine), settler, Share::WHOLE),
            engine,
            clock,
            outcomes,
            _ownership: ownership,
        })
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Puts another revision to work, as a reload does.
    pub async fn install(&self, published: Published, outlets: Outlets) -> Result<()> {
        let catalog = Catalog::new(published, self.engine.store.successors().await?);
        self.engine.install(catalog, outlets);
        Ok(())
    }

    /// Does what is due until `end`, each thing at its time; then it is `end`.
    pub async fn run_until(&mut self, end: Timestamp) -> Result<()> {
        self.settle().await?;
        while let Some(next) = self.next().await?.filter(|next| *next <= end) {
            self.clock.set(next);
            self.settle().await?;
        }
        self.clock.set(end);
        self.settle().await
    }

    /// When something is due next; none: nobody waits, and time alone moves nobody.
    pub async fn next(&self) -> Result<Option<Timestamp>> {
        let (store, now) = (&self.engine.store, self.clock.now());
        let mut next: Option<Timestamp> = None;
        let mut earliest = |at: Timestamp| {
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        for lane in Lane::ALL {
            if let Some(due) = store.next_due(lane).await? {
                earliest(due);
            }
        }
        for state in store.segment_states().await?.values() {
            if let Some(edge) = state.next_edge {
                earliest(edge.max(state.watermark + AFTER_EDGE));
            }
        }
        if let Some(instant) = instants::next(&self.engine.catalog(), now) {
            earliest(instant);
        }
        for plan in self.engine.catalog().flows.values() {
            let Some(limit) = plan.flow.entry.limit else {
                continue;
            };
            if store.pending(plan.number).await? > 0 {
                let each = limit.per_seconds / limit.customers.max(1);
                earliest(now + SignedDuration::from_secs(i64::from(each.max(1))));
            }
        }
        Ok(next)
    }

    /// Whether nobody waits for anything in a flow.
    pub async fn is_idle(&self) -> Result<bool> {
        self.engine.store.is_idle().await
    }

    /// Runs all loops until nothing is due now and nothing is in flight.
    pub async fn settle(&mut self) -> Result<()> {
        loop {
            let parked = self.parker.run_once().await? == Beat::Now;
            let (pass, beat) = self.enroller.run_once().await?;
            let enrolled = pass != Pass::default() || beat == Beat::Now;
            let claimed = self.claim().await?;
            if !(parked || enrolled || claimed) {
                return Ok(());
            }
        }
    }

    /// One pass of the claimer, and the settling of what it sent.
    async fn claim(&mut self) -> Result<bool> {
        let again = match self.claimer.run_once().await? {
            Beat::Now => true,
            Beat::Within(wait) => wait <= SOON,
        };
        let outlets = self.engine.outlets();
        let flying: u32 = outlets.values().map(|outlet| outlet.in_flight()).sum();
        let (brought, written) = mpsc::unbounded_channel();
        for _ in 0..flying {
            let Some(done) = self.outcomes.recv().await else {
                break;
            };
            // It is read right below.
            let _is_read = brought.send(done);
        }
        drop(brought);
        Settler::write(Arc::clone(&self.engine), written).await;
        Ok(again || flying > 0)
    }
}
