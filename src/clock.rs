//! Owns time: the only place that reads the machine's clock.
//!
//! Flow time is what due dates, windows and caps are measured in, and may be scaled or set by hand.
//! Machine time is what leases, gateway timeouts and breakers are measured in, and never is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Owned by the composition root and handed down.
pub trait Clock: Send + Sync {
    /// Flow time.
    fn now(&self) -> Timestamp;

    /// Machine time.
    fn machine(&self) -> Timestamp {
        machine_now()
    }

    /// How much flow time passes in a span of machine time.
    fn flow_span(&self, machine: SignedDuration) -> SignedDuration {
        machine
    }

    /// How long the machine must wait for flow time to reach `at`; zero when it has.
    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO)
    }
}

#[expect(clippy::disallowed_methods, reason = "this file is the clock")]
fn machine_now() -> Timestamp {
    Timestamp::now()
}

/// Flow time is machine time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        machine_now()
    }
}

/// Where a scaled clock starts: at machine time `machine` it was flow time `flow`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    pub machine: Timestamp,
    pub flow: Timestamp,
    /// Seconds of flow time in one second of machine time.
    pub scale: f64,
}

impl Anchor {
    /// Flow time at a machine time; never before the anchor.
    pub fn at(&self, machine: Timestamp) -> Timestamp {
        let elapsed = machine.duration_since(self.machine).as_secs_f64().max(0.0) * self.scale;
        let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or(SignedDuration::ZERO);
        self.flow.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

/// Flow time runs `scale` times as fast as machine time, from a persisted anchor on.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    anchor: Anchor,
}

impl ScaledClock {
    pub fn new(anchor: Anchor) -> Self {
        Self { anchor }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.anchor.at(machine_now())
    }

    fn flow_span(&self, machine: SignedDuration) -> SignedDuration {
        SignedDuration::try_from_secs_f64(machine.as_secs_f64() * self.anchor.scale)
            .unwrap_or(SignedDuration::MAX)
    }

    fn until(&self, at: Timestamp) -> Duration {
        let flow = at.duration_since(self.now()).as_secs_f64().max(0.0);
        Duration::try_from_secs_f64(flow / self.anchor.scale).unwrap_or(Duration::ZERO)
    }
}

/// Flow time stands still until it is moved: tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    microseconds: AtomicI64,
}

impl ManualClock {
    pub fn new(start: Timestamp) -> Self {
        Self {
            microseconds: AtomicI64::new(start.as_microsecond()),
        }
    }

    pub fn set(&self, at: Timestamp) {
        self.microseconds
            .store(at.as_microsecond(), Ordering::SeqCst);
    }

    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
