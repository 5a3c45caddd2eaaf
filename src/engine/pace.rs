//! Owns the pace of a channel: how many messages may go now, so that no span holds more than it should.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::domain::gateway::Pace;

/// In machine time: a token bucket that holds at most a tenth of a second's worth, so that nothing
/// bursts, and a count of what went, so that no span of the pace holds more than it.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Option<Pace>,
    tokens: f64,
    filled_at: Timestamp,
    /// What went within the pace's span, the oldest first.
    went: VecDeque<(Timestamp, u32)>,
}

impl Pacer {
    pub(super) fn new(pace: Option<Pace>, now: Timestamp) -> Self {
        Self {
            pace,
            tokens: 1.0,
            filled_at: now,
            went: VecDeque::new(),
        }
    }

    /// How many of `wanted` may go now.
    pub(super) fn allows(&mut self, wanted: u32, now: Timestamp) -> u32 {
        let Some(pace) = self.pace else {
            return wanted;
        };
        let per_second = pace.per_second();
        let elapsed = now.duration_since(self.filled_at).as_secs_f64().max(0.0);
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * per_second).min((per_second / 10.0).max(1.0));
        let span = SignedDuration::from_secs(i64::from(pace.per_seconds));
        while self
            .went
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= span)
        {
            self.went.pop_front();
        }
        let went: u32 = self.went.iter().map(|(_, count)| count).sum();
        wanted
            .min(whole(self.tokens))
            .min(pace.messages.saturating_sub(went))
    }

    /// Counts those that are about to go.
    pub(super) fn spend(&mut self, spent: u32, now: Timestamp) {
        if self.pace.is_some() && spent > 0 {
            self.tokens -= f64::from(spent);
            self.went.push_back((now, spent));
        }
    }

    /// Takes back those counted at that time that did not go after all.
    pub(super) fn refund(&mut self, unspent: u32, at: Timestamp) {
        let counted = self.went.iter_mut().rev().find(|(then, _)| *then == at);
        if let Some((_, spent)) = counted {
            let unspent = unspent.min(*spent);
            *spent -= unspent;
            self.tokens += f64::from(unspent);
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
            pacer.spend(allowed, now);
            sent += allowed;
            now += SignedDuration::from_millis(1);
        }
        assert!((2_950..=3_000).contains(&sent), "{sent}");
    }

    #[test]
    fn what_did_not_go_may_go_later() {
        let pace = Pace {
            messages: 600,
            per_seconds: 60,
        };
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pacer = Pacer::new(Some(pace), now);
        now += SignedDuration::from_secs(1);
        assert_eq!(pacer.allows(10, now), 1);
        pacer.spend(1, now);
        assert_eq!(pacer.allows(10, now), 0);
        pacer.refund(1, now);
        assert_eq!(pacer.allows(10, now), 1);
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
        pacer.spend(1, now);
        now += SignedDuration::from_secs(9);
        assert_eq!(pacer.allows(10, now), 0);
        now += SignedDuration::from_secs(2);
        assert_eq!(pacer.allows(10, now), 1);
    }
}
