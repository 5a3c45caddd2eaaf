//! Owns what every verb of the engine works with: the store, the clock, the current catalog, the outlets.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::catalog::Catalog;
use super::desk::Desk;
use super::duty::Duty;
use super::handover::Marks;
use super::metrics::Metrics;
use super::outlet::Outlets;
use crate::clock::Clock;
use crate::domain::ids::{Incarnation, InstanceTag};
use crate::domain::link::LinkKey;
use crate::store::{Lease, Store};

/// How long a claim is held before it counts as abandoned, in machine time: longer than any
/// gateway's own timeouts together.
const LEASE: SignedDuration = SignedDuration::from_mins(30);

/// Where links in messages lead, and the key that seals them.
pub struct Links {
    pub public_url: String,
    pub key: LinkKey,
}

/// The engine's parts. One per process.
pub struct Engine {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub incarnation: Incarnation,
    pub tag: InstanceTag,
    pub marks: Arc<Marks>,
    pub duty: Arc<Duty>,
    pub links: Links,
    pub metrics: Metrics,
    pub(super) desk: Desk,
    /// Told when outcomes were stored and their slots are free again.
    pub(super) freed: Notify,
    catalog: ArcSwap<Catalog>,
    outlets: ArcSwap<Outlets>,
}

impl Engine {
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        identity: (Incarnation, InstanceTag),
        (marks, duty): (Arc<Marks>, Arc<Duty>),
        links: Links,
        work: (Arc<Catalog>, Outlets),
    ) -> Self {
        let metrics = Metrics::default();
        metrics.revision.set(i64::from(work.0.number().0));
        Self {
            store,
            clock,
            incarnation: identity.0,
            tag: identity.1,
            marks,
            duty,
            links,
            metrics,
            desk: Desk::default(),
            freed: Notify::new(),
            catalog: ArcSwap::new(work.0),
            outlets: ArcSwap::from_pointee(work.1),
        }
    }

    /// Puts a revision to work.
    pub fn install(&self, catalog: Arc<Catalog>, outlets: Outlets) {
        self.metrics.revision.set(i64::from(catalog.number().0));
        self.outlets.store(Arc::new(outlets));
        self.catalog.store(catalog);
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    pub fn outlets(&self) -> Arc<Outlets> {
        self.outlets.load_full()
    }

    /// For whom a claim made now is held, and until when in flow time.
    pub fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            incarnation: self.incarnation,
            until: now + self.clock.flow_span(LEASE),
        }
    }
}
