//! Owns how far each claimer has come through a channel, so that a backlog goes in the order of its due
//! times though each claims a share of the buckets.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::Share;

/// Claimers beside each other: one reads while the other writes.
pub const CLAIMERS: u16 = 2;

const NOTHING: i64 = i64::MAX;

/// When the first message that each claimer has yet to claim is due, in microseconds.
#[derive(Debug)]
pub(super) struct Heads([AtomicI64; CLAIMERS as usize]);

impl Default for Heads {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicI64::new(NOTHING)))
    }
}

impl Heads {
    /// None: the share has nothing to claim, or nobody who claims it, and is not waited for.
    pub(super) fn set(&self, share: Share, due: Option<Timestamp>) {
        if let Some(head) = self.0.get(usize::from(share.index)) {
            let due = due.map_or(NOTHING, Timestamp::as_microsecond);
            head.store(due, Ordering::Relaxed);
        }
    }

    /// Whether another share has a message that is due earlier than all of this one's by more than `by`.
    pub(super) fn is_ahead(&self, share: Share, by: SignedDuration) -> bool {
        let head = |head: &AtomicI64| head.load(Ordering::Relaxed);
        let own = self.0.get(usize::from(share.index)).map_or(NOTHING, head);
        let first = self.0.iter().map(head).min().unwrap_or(own);
        i128::from(own) - i128::from(first) > by.as_micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn who_is_ahead_waits_for_the_others_until_they_have_nothing_left() {
        let (heads, by) = (Heads::default(), SignedDuration::from_secs(1));
        let [one, other] = [0, 1].map(|index| Share { index, of: 2 });
        let ahead = || [one, other].map(|share| heads.is_ahead(share, by));
        heads.set(one, at(5));
        assert_eq!(
            ahead(),
            [false, true],
            "who has nothing waits for nobody's sake"
        );
        heads.set(other, at(6));
        assert_eq!(ahead(), [false, false]);
        heads.set(other, at(7));
        assert_eq!(ahead(), [false, true]);
        heads.set(one, None);
        assert_eq!(ahead(), [true, false]);
        assert!(!heads.is_ahead(other, by));
    }
}
