//! Owns the gateway that notes each hand-over, and may be away.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use drumbeat::channels::{Gateway, HandOver};
use drumbeat::clock::Clock;
use drumbeat::domain::dispatch::{DeferCause, Outcome};
use drumbeat::domain::message::Message;

/// One message as it was handed over, in machine time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandedOver {
    pub(crate) enrollment: i64,
    pub(crate) micros: i64,
    pub(crate) attempt: u32,
}

/// Accepts at once what it notes; while it is away it takes nothing.
pub(crate) struct Recorder {
    clock: Arc<dyn Clock>,
    away: AtomicBool,
    taken: Mutex<Vec<HandedOver>>,
    /// When it was tried in vain.
    tried: Mutex<Vec<i64>>,
    count: AtomicU64,
}

impl Recorder {
    /// For so many messages: their places are in memory from the beginning, so that growth is not its own.
    pub(crate) fn new(clock: Arc<dyn Clock>, messages: u64) -> Arc<Self> {
        let place = HandedOver {
            enrollment: 1,
            micros: 1,
            attempt: 1,
        };
        let mut taken = vec![place; usize::try_from(messages).unwrap_or_default()];
        taken.clear();
        Arc::new(Self {
            clock,
            away: AtomicBool::new(false),
            taken: Mutex::new(taken),
            tried: Mutex::default(),
            count: AtomicU64::new(0),
        })
    }

    pub(crate) fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn taken(&self) -> MutexGuard<'_, Vec<HandedOver>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tried(&self) -> MutexGuard<'_, Vec<i64>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let now = || self.clock.machine().as_microsecond();
        if self.away.load(Ordering::SeqCst) {
            self.tried().push(now());
            return Outcome::Deferred {
                detail: "connection refused".to_owned(),
                retry_after: None,
                cause: DeferCause::Gateway,
            };
        }
        if let Err(recalled) = hand_over.mark() {
            return recalled.into();
        }
        let mut taken = self.taken();
        taken.push(HandedOver {
            enrollment: message.id.enrollment().0,
            micros: now(),
            attempt: message.attempt,
        });
        self.count.fetch_add(1, Ordering::Relaxed);
        Outcome::Accepted {
            gateway_id: None,
            detail: String::new(),
        }
    }
}

impl Gateway for Recorder {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(std::future::ready(self.take(message, hand_over)))
    }
}
