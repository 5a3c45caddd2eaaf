//! Owns what every request may use, and what it asks of the running daemon.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;
use serde::Serialize;
use tokio::sync::Mutex;

use super::api::limits::Limiter;
use super::door::Door;
use super::hooks::Misses;
use crate::channels::{Ear, SharedGateway};
use crate::clock::Clock;
use crate::domain::channel::Channel;
use crate::domain::daemon_settings::RequestRate;
use crate::domain::link::LinkKey;
use crate::store::Published;
use crate::store::Store;

/// How long an answer of the store is good for: probes must not fill the one writer's queue.
const WRITABLE_FOR: SignedDuration = SignedDuration::from_secs(1);

/// Shared by all requests.
pub struct WebState {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub daemon: Arc<dyn Daemon>,
    pub links: Arc<LinkKey>,
    /// Every metric is registered before the first request.
    pub metrics: Arc<Registry>,
    writable: Mutex<Option<(Timestamp, bool)>>,
    pub(super) limiter: Limiter,
    /// Requests that pretended to be a gateway's.
    pub(super) misses: Misses,
    /// Which pages may tell of their visitors; none: no page may.
    pub(super) door: Option<Door>,
}

impl WebState {
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        daemon: Arc<dyn Daemon>,
        links: Arc<LinkKey>,
        metrics: Arc<Registry>,
    ) -> Self {
        Self {
            store,
            clock,
            daemon,
            links,
            metrics,
            writable: Mutex::new(None),
            limiter: Limiter::new(RequestRate::default()),
            misses: Misses::default(),
            door: None,
        }
    }

    /// The same, with pages that may tell of their visitors.
    #[must_use]
    pub fn with_door(mut self, door: Option<Door>) -> Self {
        self.door = door;
        self
    }

    /// The same, with another rate for each token of the API.
    #[must_use]
    pub fn at_rate(mut self, rate: RequestRate) -> Self {
        self.limiter = Limiter::new(rate);
        self
    }

    /// Whether the store took a write within the last second.
    pub(super) async fn store_is_writable(&self) -> bool {
        let mut known = self.writable.lock().await;
        let now = self.clock.machine();
        if let Some((at, writable)) = *known
            && now.duration_since(at).abs() < WRITABLE_FOR
        {
            return writable;
        }
        let written = self.store.round_trip(now).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "the store takes no writes");
        }
        *known = Some((now, written.is_ok()));
        written.is_ok()
    }
}

/// What the web asks of the running daemon.
pub trait Daemon: Send + Sync {
    /// Whether the engine's loops have turned lately.
    fn alive(&self) -> bool;

    /// The revision that is executed.
    fn published(&self) -> Arc<Published>;

    /// The gateway of each channel and the state of its breaker.
    fn gateways(&self) -> Vec<GatewayHealth>;

    /// The gateway of a channel that may tell what became of its messages; none: the channel has none.
    fn teller(&self, channel: Channel) -> Option<Teller>;
}

/// A gateway, where it is heard, and under which address it was told to speak.
pub struct Teller {
    pub gateway: SharedGateway,
    pub ear: Arc<dyn Ear>,
    pub public_url: String,
}

/// One channel's gateway, as the readiness probe shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayHealth {
    pub channel: Channel,
    /// The kind of gateway: `smtp`, `http` or `file`.
    pub gateway: &'static str,
    /// `closed` (messages flow), `open` (the gateway is left alone) or `half-open` (it is tried).
    pub breaker: &'static str,
}
