//! Owns the pace of a channel: how many messages may go now, so that no span holds more than it should.

use jiff::Timestamp;

use crate::domain::gateway::Pace;

/// A token bucket in machine time that holds at most a tenth of a second's worth, so that nothing bursts.
#[derive(Debug)]
pub(super) struct Pacer {
    per_second: Option<f64>,
    tokens: f64,
    filled_at: Timestamp,
}

impl Pacer {
    pub(super) fn new(pace: Option<Pace>, now: Timestamp) -> Self {
        Self {
            per_second: pace.map(Pace::per_second),
            tokens: 1.0,
            filled_at: now,
        }
    }

    /// How many of `wanted` may go now.
    pub(super) fn allows(&mut self, wanted: u32, now: Timestamp) -> u32 {
        let Some(per_second) = self.per_second else {
            return wanted;
        };
        let elapsed = now.duration_since(self.filled_at).as_secs_f64().max(0.0);
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * per_second).min((per_second / 10.0).max(1.0));
        wanted.min(whole(self.tokens))
    }

    /// Counts those that went.
    pub(super) fn spend(&mut self, spent: usize) {
        if self.per_second.is_some() {
            self.tokens -= f64::from(u32::try_from(spent).unwrap_or(u32::MAX));
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the pace"
)]
fn whole(tokens: f64) -> u32 {
    tokens.max(0.0).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_minute_never_holds_more_than_the_pace() {
        let pace = Pace {
            messages: 50,
            per_seconds: 1,
        };
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pacer = Pacer::new(Some(pace), now);
        let mut sent = 0;
        for _ in 0..60_000 {
            let allowed = pacer.allows(1000, now);
            pacer.spend(allowed as usize);
            sent += allowed;
            now += SignedDuration::from_millis(1);
        }
        assert!((2_995..=3_001).contains(&sent), "{sent}");
    }

    #[test]
    fn without_a_pace_all_may_go() {
        let mut pacer = Pacer::new(None, Timestamp::UNIX_EPOCH);
        assert_eq!(pacer.allows(700, Timestamp::UNIX_EPOCH), 700);
    }

    #[test]
    fn a_slow_pace_lets_one_go_now_and_then() {
        let pace = Pace {
            messages: 6,
            per_seconds: 60,
        };
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pacer = Pacer::new(Some(pace), now);
        assert_eq!(pacer.allows(10, now), 1);
        pacer.spend(1);
        now += SignedDuration::from_secs(9);
        assert_eq!(pacer.allows(10, now), 0);
        now += SignedDuration::from_secs(2);
        assert_eq!(pacer.allows(10, now), 1);
    }
}
