//! Owns the pace of a channel that several nodes share: messages for which the store has given a time.
//!
//! The store gives times away one after the other, in the order in which nodes ask (the virtual
//! scheduling of ITU-T I.371), so that all nodes together keep the pace, whoever comes or goes. What a
//! gone node was given is lost to the pace, and nothing else is.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::gateway::Pace;

/// So much of the pace is asked for at a time.
const AHEAD: SignedDuration = SignedDuration::from_millis(250);
/// What a node that has nothing may stand in line for.
const AHEAD_OF_OTHERS: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_secs(1);
/// A time that is longer past is not made up for: it would be a burst.
const LAPSED: SignedDuration = SignedDuration::from_millis(500);

/// What this node was given of a channel's pace.
#[derive(Debug)]
pub(super) struct Grants {
    pace: Pace,
    blocks: VecDeque<Block>,
    /// Before this, asking is in vain.
    ask_after: Timestamp,
}

/// Times in a row, the first of them at `from`.
#[derive(Debug)]
struct Block {
    from: Timestamp,
    count: u32,
    /// How many of them, from the first on, are spent or lapsed.
    used: u32,
}

/// What to ask the store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) count: u32,
    /// How much of the channel's time they are.
    pub(super) span: SignedDuration,
    /// No time later than this is of use yet.
    pub(super) within: SignedDuration,
}

impl Grants {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            blocks: VecDeque::new(),
            ask_after: Timestamp::MIN,
        }
    }

    /// There is nothing to be had before this.
    pub(super) fn rest(&mut self, until: Timestamp) {
        self.ask_after = until;
    }

    /// How long there is nothing to go, and nothing to ask for.
    pub(super) fn rests(&self, now: Timestamp) -> Duration {
        let next = self
            .blocks
            .front()
            .map_or(self.ask_after, |block| block.from);
        let rests = Duration::try_from(next.duration_since(now)).unwrap_or_default();
        rests.min(LONGEST_REST)
    }

    /// What to ask for now; none: there is enough.
    pub(super) fn wanted(&mut self, now: Timestamp) -> Option<Wanted> {
        self.drop_lapsed(now);
        let left: u32 = self
            .blocks
            .iter()
            .map(|block| block.count - block.used)
            .sum();
        let most = self.messages_in(AHEAD).max(1);
        if left > most / 2 || now < self.ask_after {
            return None;
        }
        let within = match (most, left) {
            // The times of a slow pace are given when they are there, and used at once.
            (1, _) => SignedDuration::ZERO,
            // Who has nothing comes before those who have some, however often they ask.
            (_, 0) => AHEAD_OF_OTHERS,
            _ => AHEAD,
        };
        Some(Wanted {
            count: most,
            span: self.span_of(most),
            within,
        })
    }

    pub(super) fn add(&mut self, from: Timestamp, count: u32) {
        let used = 0;
        self.blocks.push_back(Block { from, count, used });
    }

    /// How many of `wanted` may go now.
    pub(super) fn allows(&mut self, wanted: u32, now: Timestamp) -> u32 {
        self.drop_lapsed(now);
        let ready = self.blocks.iter().map(|block| self.past(block, now));
        let free = ready.zip(&self.blocks);
        let free: u32 = free
            .map(|(past, block)| past.saturating_sub(block.used))
            .sum();
        wanted.min(free)
    }

    /// Counts those that are about to go.
    pub(super) fn spend(&mut self, spent: u32, now: Timestamp) {
        let past: Vec<u32> = self
            .blocks
            .iter()
            .map(|block| self.past(block, now))
            .collect();
        let mut left = spent;
        for (block, past) in self.blocks.iter_mut().zip(past) {
            let taken = left.min(past.saturating_sub(block.used));
            block.used += taken;
            left -= taken;
        }
    }

    /// Takes back those that did not go after all, as long as their time has not lapsed.
    pub(super) fn refund(&mut self, unspent: u32) {
        let mut left = unspent;
        for block in self.blocks.iter_mut().rev() {
            let back = left.min(block.used);
            block.used -= back;
            left -= back;
        }
    }

    fn drop_lapsed(&mut self, now: Timestamp) {
        let lapsed: Vec<u32> = self
            .blocks
            .iter()
            .map(|block| self.past(block, now - LAPSED))
            .collect();
        for (block, lapsed) in self.blocks.iter_mut().zip(lapsed) {
            block.used = block.used.max(lapsed);
        }
        self.blocks.retain(|block| block.used < block.count);
    }

    /// How many of a block's times are past.
    fn past(&self, block: &Block, now: Timestamp) -> u32 {
        if now < block.from {
            return 0;
        }
        let since = now.duration_since(block.from);
        block.count.min(self.messages_in(since).saturating_add(1))
    }

    fn messages_in(&self, span: SignedDuration) -> u32 {
        let micros = span.as_micros() * i128::from(self.pace.messages);
        let messages = micros / (i128::from(self.pace.per_seconds.max(1)) * 1_000_000);
        u32::try_from(messages).unwrap_or(u32::MAX)
    }

    fn span_of(&self, messages: u32) -> SignedDuration {
        let micros = u64::from(messages) * u64::from(self.pace.per_seconds) * 1_000_000;
        let micros = micros.div_ceil(u64::from(self.pace.messages.max(1)));
        SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sent = Vec<(Timestamp, usize)>;

    /// The store's side: times are given one after the other.
    #[derive(Default)]
    struct Counter(Option<Timestamp>);

    impl Counter {
        fn grant(&mut self, wanted: Wanted, now: Timestamp) -> Result<Timestamp, Timestamp> {
            let from = self.0.map_or(now, |next| next.max(now));
            if from > now + wanted.within {
                return Err(from - wanted.within);
            }
            self.0 = Some(from + wanted.span);
            Ok(from)
        }
    }

    /// When messages go, and by whom, of so many nodes that always have some; each node lives for its span of seconds.
    fn sent(pace: Pace, nodes: &[(i64, i64)], seconds: i64) -> Sent {
        let (start, mut counter) = (Timestamp::UNIX_EPOCH, Counter::default());
        let mut grants: Vec<Grants> = nodes.iter().map(|_| Grants::new(pace)).collect();
        let mut sent = Sent::new();
        for millisecond in 0..seconds * 1_000 {
            let now = start + SignedDuration::from_millis(millisecond);
            for (place, (node, lives)) in grants.iter_mut().zip(nodes).enumerate() {
                if !(lives.0 * 1_000..lives.1 * 1_000).contains(&millisecond) {
                    continue;
                }
                let asked = node.wanted(now);
                match asked.map(|wanted| (wanted, counter.grant(wanted, now))) {
                    Some((wanted, Ok(from))) => node.add(from, wanted.count),
                    Some((_, Err(rest))) => node.rest(rest),
                    None => {}
                }
                let allowed = node.allows(1_000, now);
                node.spend(allowed, now);
                sent.extend(std::iter::repeat_n((now, place), allowed as usize));
            }
        }
        sent
    }

    /// The most messages in any minute.
    fn busiest_minute(sent: &Sent) -> usize {
        let within = |(from, _): &(Timestamp, usize)| {
            let end = *from + SignedDuration::from_secs(60);
            sent.iter()
                .filter(|(at, _)| (*from..end).contains(at))
                .count()
        };
        sent.iter().step_by(97).map(within).max().unwrap_or(0)
    }

    #[test]
    fn nodes_that_come_and_go_keep_the_pace_together() {
        let pace = Pace {
            messages: 100,
            per_seconds: 1,
        };
        let nodes = [(0, 150), (10, 40), (20, 150), (35, 90), (60, 61), (95, 150)];
        let sent = sent(pace, &nodes, 150);
        let most = busiest_minute(&sent);
        assert!((5_700..=6_120).contains(&most), "{most}");
        assert!(sent.len() > 14_500, "{}", sent.len());
    }

    #[test]
    fn no_node_is_left_without() {
        let pace = Pace {
            messages: 50,
            per_seconds: 1,
        };
        let sent = sent(pace, &[(0, 60), (1, 60), (2, 60), (3, 60)], 60);
        for node in 0..4 {
            let own = sent.iter().filter(|(_, by)| *by == node).count();
            assert!((550..950).contains(&own), "{node}: {own}");
        }
    }

    #[test]
    fn a_slow_pace_is_kept_to_the_message() {
        let pace = Pace {
            messages: 6,
            per_seconds: 60,
        };
        let sent = sent(pace, &[(0, 300), (7, 300), (31, 200)], 300);
        assert!(
            sent.windows(2)
                .all(|two| two[1].0.duration_since(two[0].0).as_secs() >= 9)
        );
        assert!((29..=31).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn what_lapsed_is_not_made_up_for() {
        let pace = Pace {
            messages: 100,
            per_seconds: 1,
        };
        let (mut grants, mut now) = (Grants::new(pace), Timestamp::UNIX_EPOCH);
        grants.add(now, 25);
        now += SignedDuration::from_secs(60);
        assert_eq!(grants.allows(100, now), 0);
        assert_eq!(grants.wanted(now).unwrap().count, 25);
    }

    #[test]
    fn what_did_not_go_may_go_later() {
        let pace = Pace {
            messages: 100,
            per_seconds: 1,
        };
        let (mut grants, now) = (Grants::new(pace), Timestamp::UNIX_EPOCH);
        grants.add(now - SignedDuration::from_millis(100), 25);
        assert_eq!(grants.allows(100, now), 11);
        grants.spend(11, now);
        assert_eq!(grants.allows(100, now), 0);
        grants.refund(3);
        assert_eq!(grants.allows(100, now), 3);
    }
}
