//! Owns when reports that we are not wanted are believed where whoever got a message can write one: bounces by mail.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::DispatchId;

/// So many different messages: nobody gets so many of ours in that time by themselves, and a block turns away
/// far more.
const ENOUGH: usize = 10;
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Which messages were lately said to be turned away by a policy, and when.
#[derive(Debug, Default)]
pub(super) struct Accusations(Mutex<BTreeMap<DispatchId, Timestamp>>);

impl Accusations {
    /// Whether there are enough with these.
    pub(super) fn weigh(
        &self,
        accused: impl IntoIterator<Item = DispatchId>,
        now: Timestamp,
    ) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, at| now.duration_since(*at) < WITHIN);
        for id in accused {
            known.entry(id).or_insert(now);
        }
        let is_enough = known.len() >= ENOUGH;
        if is_enough {
            known.clear();
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> DispatchId {
        DispatchId::from_bytes([n; 16])
    }

    #[test]
    fn ten_different_messages_within_an_hour_are_enough_and_then_it_begins_anew() {
        let start: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
        let after = |minutes| start + SignedDuration::from_mins(minutes);
        let accusations = Accusations::default();
        for n in 0..9 {
            assert!(!accusations.weigh([id(n)], after(0)));
        }
        for _ in 0..20 {
            assert!(!accusations.weigh([id(3), id(4)], after(30)));
        }
        assert!(accusations.weigh([id(9)], after(59)));
        assert!(!accusations.weigh([id(10)], after(59)));
    }

    #[test]
    fn what_is_older_than_an_hour_counts_no_more() {
        let start: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
        let accusations = Accusations::default();
        assert!(!accusations.weigh((0..9).map(id), start));
        let later = start + SignedDuration::from_hours(1);
        assert!(!accusations.weigh([id(9)], later));
        assert!(accusations.weigh((20..29).map(id), later));
    }
}
