//! Owns the breaker of a gateway: after failures in a row it is left alone, then probed with one message.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const FAILURES_TO_OPEN: u32 = 5;
const FIRST_REST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(5);

/// While another node probes, it is asked again after this.
const OTHERS_PROBE: SignedDuration = SignedDuration::from_millis(250);

/// Times are machine time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaker {
    Closed {
        failures: u32,
        rest: SignedDuration,
    },
    Open {
        until: Timestamp,
        rest: SignedDuration,
    },
    /// One message is out to see whether the gateway is back.
    HalfOpen {
        rest: SignedDuration,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed {
            failures: 0,
            rest: FIRST_REST,
        }
    }
}

impl Breaker {
    /// How many of `wanted` messages may be tried now.
    pub(super) fn allows(&mut self, wanted: u32, now: Timestamp) -> u32 {
        match *self {
            Self::Closed { .. } => wanted,
            Self::Open { until, .. } if now < until => 0,
            Self::Open { rest, .. } => {
                *self = Self::HalfOpen { rest };
                wanted.min(1)
            }
            Self::HalfOpen { .. } => 0,
        }
    }

    /// How long it leaves the gateway alone from now on, in machine time; a probe is out: a moment.
    pub(super) fn rests(&self, now: Timestamp) -> Duration {
        match self {
            Self::Open { until, .. } => {
                Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
            }
            Self::Closed { .. } | Self::HalfOpen { .. } => Duration::ZERO,
        }
    }

    /// What another node says of the gateway, and how long it is left alone from now on.
    pub(super) fn hear(&mut self, state: &str, rests: Option<SignedDuration>, now: Timestamp) {
        let rests = rests.unwrap_or_default();
        match (state, *self) {
            ("open", Self::Closed { rest, .. }) if rests.is_positive() => {
                *self = Self::Open {
                    until: now + rests,
                    rest: rest.max(rests),
                };
            }
            ("open", Self::Open { until, rest }) if rests.is_positive() => {
                *self = Self::Open {
                    until: until.max(now + rests),
                    rest: rest.max(rests),
                };
            }
            ("closed", Self::Open { .. }) => *self = Self::default(),
            _ => {}
        }
    }

    /// Whether the next message would be a probe.
    pub(super) fn wants_probe(&self, now: Timestamp) -> bool {
        matches!(self, Self::Open { until, .. } if now >= *until)
    }

    /// Another node probes: what it finds will be heard.
    pub(super) fn wait_for_probe(&mut self, now: Timestamp) {
        if let Self::Open { rest, .. } = *self {
            let until = now + OTHERS_PROBE;
            *self = Self::Open { until, rest };
        }
    }

    /// Whether one message is out, or about to be, to see whether the gateway is back.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self, Self::HalfOpen { .. })
    }

    /// The probe was not needed after all: nothing was due.
    pub(super) fn withdraw_probe(&mut self, now: Timestamp) {
        if let Self::HalfOpen { rest } = *self {
            *self = Self::Open { until: now, rest };
        }
    }

    /// The gateway answered, whatever it said of the message. Whether the breaker's state changed.
    pub(super) fn succeeded(&mut self) -> bool {
        let was_closed = matches!(self, Self::Closed { .. });
        *self = Self::default();
        !was_closed
    }

    /// The gateway could not be reached or did not let us in. Whether the breaker's state changed.
    pub(super) fn failed(&mut self, now: Timestamp) -> bool {
        match *self {
            Self::Closed { failures, rest } if failures + 1 < FAILURES_TO_OPEN => {
                *self = Self::Closed {
                    failures: failures + 1,
                    rest,
                };
                false
            }
            Self::Closed { rest, .. } => {
                *self = Self::Open {
                    until: now + rest,
                    rest,
                };
                true
            }
            Self::HalfOpen { rest } => {
                let rest = (rest * 2).min(LONGEST_REST);
                *self = Self::Open {
                    until: now + rest,
                    rest,
                };
                true
            }
            Self::Open { .. } => false,
        }
    }

    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half-open",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_open_it_and_one_probe_closes_it() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.failed(now));
        }
        assert!(breaker.failed(now));
        assert_eq!(breaker.allows(10, now), 0);
        now += SignedDuration::from_secs(5);
        assert_eq!(breaker.allows(10, now), 1);
        assert_eq!(breaker.allows(10, now), 0);
        assert!(breaker.succeeded());
        assert_eq!(breaker.allows(10, now), 10);
    }

    #[test]
    fn a_failed_probe_rests_twice_as_long_up_to_five_minutes() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut breaker = Breaker::Open {
            until: now,
            rest: FIRST_REST,
        };
        for seconds in [10, 20, 40, 80, 160, 300, 300] {
            assert_eq!(breaker.allows(1, now), 1);
            breaker.failed(now);
            let rest = SignedDuration::from_secs(seconds);
            assert_eq!(
                breaker,
                Breaker::Open {
                    until: now + rest,
                    rest
                }
            );
            now += rest;
        }
    }
}
