//! Owns what receipts make of a dispatch: the set of fates that were heard of it, and where it stands by them.

use super::dispatch::DispatchState;
use super::news::{Bounce, Fate};

/// So many soft bounces at one address within [`SOFT_DAYS`] are as good as a hard one.
pub const SOFT_BOUNCES: i64 = 5;
/// Counted from when the messages were sent.
pub const SOFT_DAYS: i64 = 30;

/// Every fate, the one that decides most first: a dead address is certain, and what arrived is not undone
/// by a mailbox that was full before.
const BY_WEIGHT: [Fate; 8] = [
    Fate::Bounced(Bounce::Hard),
    Fate::Complained,
    Fate::Delivered,
    Fate::Bounced(Bounce::Soft),
    Fate::Bounced(Bounce::Policy),
    Fate::Expired,
    Fate::Failed,
    Fate::Accepted,
];

/// The fates that were heard of one dispatch, in whatever order, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard(u8);

impl Heard {
    pub const NOTHING: Self = Self(0);

    /// As it is stored.
    pub fn bits(self) -> i64 {
        i64::from(self.0)
    }

    /// None for bits that stand for nothing.
    pub fn from_bits(bits: i64) -> Option<Self> {
        u8::try_from(bits).ok().map(Self)
    }

    #[must_use]
    pub fn with(self, fate: Fate) -> Self {
        Self(self.0 | bit(fate))
    }

    pub fn has(self, fate: Fate) -> bool {
        self.0 & bit(fate) != 0
    }

    /// The fate that decides; none: nothing was heard.
    pub fn deciding(self) -> Option<Fate> {
        BY_WEIGHT.into_iter().find(|fate| self.has(*fate))
    }

    /// Where a dispatch stands of which this was heard, and which stands at `settled` without it. The same
    /// when it is asked again with what it answered, whatever was heard in between.
    pub fn standing(self, settled: DispatchState) -> DispatchState {
        let is_out = matches!(settled, DispatchState::Claimed | DispatchState::Deferred);
        match self.deciding() {
            // What is still to be settled is settled first.
            _ if is_out => settled,
            None => settled,
            Some(Fate::Accepted) if settled == DispatchState::Uncertain => DispatchState::Accepted,
            Some(Fate::Accepted) => settled,
            // Who calls a message spam has got it.
            Some(Fate::Delivered | Fate::Complained) => DispatchState::Delivered,
            Some(Fate::Bounced(_)) => DispatchState::Bounced,
            Some(Fate::Expired) => DispatchState::Expired,
            Some(Fate::Failed) => DispatchState::Refused,
        }
    }
}

/// Its place in the stored set; never changed.
fn bit(fate: Fate) -> u8 {
    match fate {
        Fate::Accepted => 1,
        Fate::Delivered => 2,
        Fate::Bounced(Bounce::Hard) => 4,
        Fate::Bounced(Bounce::Soft) => 8,
        Fate::Bounced(Bounce::Policy) => 16,
        Fate::Complained => 32,
        Fate::Expired => 64,
        Fate::Failed => 128,
    }
}

impl Fate {
    pub const ALL: [Self; 8] = BY_WEIGHT;

    /// `accepted`, `delivered`, `bounced`, `complained`, `expired` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Bounced(_) => "bounced",
            Self::Complained => "complained",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// As it is stored; never changed.
    pub fn number(self) -> i64 {
        i64::from(bit(self))
    }

    pub fn from_number(number: i64) -> Option<Self> {
        BY_WEIGHT.into_iter().find(|fate| fate.number() == number)
    }
}

impl Bounce {
    /// `hard`, `soft` or `policy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Policy => "policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::collections::HashSet;

    /// What a settled dispatch comes to while fates are told one by one.
    fn told(settled: DispatchState, fates: &[Fate]) -> DispatchState {
        let mut heard = Heard::NOTHING;
        fates.iter().fold(settled, |state, fate| {
            heard = heard.with(*fate);
            heard.standing(state)
        })
    }

    const HARD: Fate = Fate::Bounced(Bounce::Hard);
    const SOFT: Fate = Fate::Bounced(Bounce::Soft);
    const POLICY: Fate = Fate::Bounced(Bounce::Policy);

    #[rstest]
    #[case(&[], DispatchState::Accepted)]
    #[case(&[Fate::Accepted], DispatchState::Accepted)]
    #[case(&[Fate::Delivered, Fate::Accepted], DispatchState::Delivered)]
    #[case(&[SOFT, Fate::Delivered], DispatchState::Delivered)]
    #[case(&[Fate::Delivered, SOFT], DispatchState::Delivered)]
    #[case(&[Fate::Delivered, HARD], DispatchState::Bounced)]
    #[case(&[HARD, Fate::Delivered], DispatchState::Bounced)]
    #[case(&[Fate::Complained], DispatchState::Delivered)]
    #[case(&[Fate::Complained, SOFT], DispatchState::Delivered)]
    #[case(&[POLICY], DispatchState::Bounced)]
    #[case(&[Fate::Failed], DispatchState::Refused)]
    #[case(&[Fate::Expired, Fate::Accepted], DispatchState::Expired)]
    #[case(&[Fate::Failed, Fate::Delivered], DispatchState::Delivered)]
    fn the_fate_that_decides_most_decides(#[case] fates: &[Fate], #[case] state: DispatchState) {
        assert_eq!(told(DispatchState::Accepted, fates), state);
    }

    #[test]
    fn any_fate_settles_what_was_uncertain() {
        for fate in Fate::ALL {
            let state = told(DispatchState::Uncertain, &[fate]);
            assert_ne!(state, DispatchState::Uncertain, "{fate:?}");
        }
        let accepted = told(DispatchState::Uncertain, &[Fate::Accepted]);
        assert_eq!(accepted, DispatchState::Accepted);
    }

    #[test]
    fn what_is_still_out_is_not_moved() {
        for state in [DispatchState::Claimed, DispatchState::Deferred] {
            for fate in Fate::ALL {
                assert_eq!(told(state, &[fate]), state);
            }
        }
    }

    #[test]
    fn fates_have_bits_of_their_own_and_read_back() {
        let numbers: HashSet<i64> = Fate::ALL.iter().map(|fate| fate.number()).collect();
        assert_eq!(numbers.len(), Fate::ALL.len());
        for fate in Fate::ALL {
            assert_eq!(Fate::from_number(fate.number()), Some(fate));
            let heard = Heard::NOTHING.with(fate);
            assert_eq!(Heard::from_bits(heard.bits()), Some(heard));
            assert_eq!(heard.deciding(), Some(fate));
        }
        assert_eq!(Heard::from_bits(256), None);
    }

    proptest! {
        #[test]
        fn in_any_order_and_any_repetition_it_stands_the_same(
            picked in prop::collection::vec(0..Fate::ALL.len(), 1..12),
            seed in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
            settled in 0..DispatchState::ALL.len(),
        ) {
            let settled = DispatchState::ALL[settled];
            let fates: Vec<Fate> = picked.iter().map(|at| Fate::ALL[*at]).collect();
            let mut shuffled = fates.clone();
            shuffled.extend(seed.iter().map(|at| *at.get(&fates)));
            for (from, to) in seed.iter().enumerate() {
                let to = to.index(shuffled.len());
                shuffled.swap(from % fates.len(), to);
            }
            prop_assert_eq!(told(settled, &fates), told(settled, &shuffled));
        }
    }
}
