//! Owns the running daemon as the web sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;

use crate::domain::channel::Channel;
use crate::domain::daemon_settings::RequestRate;
use crate::domain::link::LinkKey;
use crate::engine::{Engine, Listener};
use crate::store::Published;
use crate::web::{self, Door, GatewayHealth, Teller, WebState};

/// The engine's loops turn at least every five seconds.
const ALIVE_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// What the web is set up with beside the engine.
pub(super) struct Site {
    pub(super) key: Arc<LinkKey>,
    pub(super) rate: RequestRate,
    pub(super) door: Option<Door>,
}

/// What every request may use; `turned` is the second at which the claim loop last turned.
pub(super) fn state(engine: &Arc<Engine>, site: Site, turned: Arc<AtomicI64>) -> Arc<WebState> {
    let mut registry = Registry::with_prefix("drumbeat");
    engine.metrics.register(&mut registry);
    let daemon = Arc::new(Running {
        engine: Arc::clone(engine),
        turned,
    });
    let (store, clock) = (engine.store.clone(), Arc::clone(&engine.clock));
    let state = WebState::new(store, clock, daemon, site.key, Arc::new(registry));
    Arc::new(state.at_rate(site.rate).with_door(site.door))
}

/// The running daemon as the web sees it.
struct Running {
    engine: Arc<Engine>,
    /// The second at which the claim loop last turned.
    turned: Arc<AtomicI64>,
}

impl web::Daemon for Running {
    fn alive(&self) -> bool {
        let turned = Timestamp::from_second(self.turned.load(Ordering::Relaxed));
        let now = self.engine.clock.machine();
        turned.is_ok_and(|turned| now.duration_since(turned) < ALIVE_WITHIN)
    }

    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.engine.catalog().published)
    }

    fn gateways(&self) -> Vec<GatewayHealth> {
        self.engine
            .outlets()
            .iter()
            .map(|(channel, outlet)| GatewayHealth {
                channel: *channel,
                gateway: outlet.config.gateway.kind(),
                breaker: outlet.breaker(),
            })
            .collect()
    }

    fn teller(&self, channel: Channel) -> Option<Teller> {
        let outlets = self.engine.outlets();
        let outlet = outlets.get(&channel)?;
        Some(Teller {
            gateway: Arc::clone(&outlet.gateway),
            ear: Arc::new(Listener::new(Arc::clone(&self.engine), channel)),
            public_url: self.engine.links.public_url.clone(),
        })
    }
}
