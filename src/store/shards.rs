//! Owns which buckets lie together on Citus: a statement about some of them goes to one shard at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::ids::BUCKETS;

/// The shard of each bucket, by its place among the shards.
#[derive(Debug)]
pub(super) struct Shards {
    of: Vec<usize>,
    count: usize,
    turn: AtomicUsize,
}

impl Shards {
    /// From the number of the shard of each bucket, in the order of the buckets.
    pub(super) fn new(numbers: &[i64]) -> Self {
        let mut places: BTreeMap<i64, usize> = BTreeMap::new();
        for number in numbers {
            let next = places.len();
            places.entry(*number).or_insert(next);
        }
        Self {
            of: numbers.iter().map(|number| places[number]).collect(),
            count: places.len(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Parts what belongs to buckets by their shards: always in the same order, so that nobody waits
    /// for another in a circle.
    pub(super) fn part<T>(&self, all: impl IntoIterator<Item = (u16, T)>) -> Vec<Vec<(u16, T)>> {
        let mut parts: BTreeMap<usize, Vec<(u16, T)>> = BTreeMap::new();
        for (bucket, what) in all {
            let shard = self.of.get(usize::from(bucket)).copied();
            parts
                .entry(shard.unwrap_or_default())
                .or_default()
                .push((bucket, what));
        }
        parts.into_values().collect()
    }

    /// Every bucket.
    pub(super) fn buckets(&self) -> std::ops::Range<u16> {
        0..u16::try_from(self.of.len()).unwrap_or(BUCKETS)
    }

    /// With which shard to begin when not all of them need be asked: another each time.
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed) % self.count.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_one_shard_stay_together_and_shards_keep_their_order() {
        let shards = Shards::new(&[70, 90, 70, 80]);
        let parts = shards.part([(3, "d"), (2, "c"), (1, "b"), (0, "a")]);
        let expected = vec![vec![(2, "c"), (0, "a")], vec![(1, "b")], vec![(3, "d")]];
        assert_eq!(parts, expected);
    }

    #[test]
    fn each_turn_begins_with_another_shard() {
        let shards = Shards::new(&[7, 8, 7]);
        let turns = [shards.turn(), shards.turn(), shards.turn()];
        assert_eq!(turns, [0, 1, 0]);
    }
}
