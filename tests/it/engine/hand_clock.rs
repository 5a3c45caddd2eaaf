//! Owns a clock that is moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use drumbeat::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// Flow time and machine time, both moved by hand.
#[derive(Debug)]
pub(super) struct HandClock {
    flow: AtomicI64,
    machine: AtomicI64,
}

impl HandClock {
    pub(super) fn at(start: Timestamp) -> Arc<Self> {
        let start = start.as_microsecond();
        Arc::new(Self {
            flow: AtomicI64::new(start),
            machine: AtomicI64::new(start),
        })
    }

    /// Both move by as much.
    pub(super) fn set(&self, at: Timestamp) {
        let by = at.as_microsecond() - self.flow.load(Ordering::SeqCst);
        assert!(by >= 0, "time goes forward");
        self.flow.fetch_add(by, Ordering::SeqCst);
        self.machine.fetch_add(by, Ordering::SeqCst);
    }

    pub(super) fn tick_machine(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_micros()).unwrap();
        self.machine.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.flow.load(Ordering::SeqCst)).unwrap()
    }

    fn machine(&self) -> Timestamp {
        Timestamp::from_microsecond(self.machine.load(Ordering::SeqCst)).unwrap()
    }
}
