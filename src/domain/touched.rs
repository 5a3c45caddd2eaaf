//! Owns what a change touches and what a condition asks about, so that only those who may differ are asked again.
//!
//! Both are sets of bits, the same for ever because they are stored beside the marks: fields share
//! forty bits by the hash of their names and kinds of interactions fourteen, so two names may meet
//! that have nothing to do with each other. That costs a question; a change is never missed.

use std::ops::{BitOr, BitOrAssign};

use xxhash_rust::xxh3::xxh3_64;

use super::interaction::Kind;
use super::revision::Revision;
use super::segment::{Condition, Moment};

const FIELDS: u64 = 40;
const FIRST_KIND: u32 = 48;
const KINDS: u32 = 14;

/// A set of what can change about a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Touched(i64);

impl Touched {
    pub const NOTHING: Self = Self(0);
    /// A new customer, or one of whom nothing is known.
    pub const EVERYTHING: Self = Self(i64::MAX);
    /// Any field.
    pub const FIELDS: Self = Self((1 << FIELDS) - 1);
    pub const TAGS: Self = Self(1 << 40);
    /// The status, and whether they are identified.
    pub const STATUS: Self = Self(1 << 41);
    pub const CONSENTS: Self = Self(1 << 42);
    pub const SUBSCRIPTIONS: Self = Self(1 << 43);
    /// The instants of the last activity, engagement and transaction.
    pub const ACTIVITY: Self = Self(1 << 44);
    pub const DISPATCHES: Self = Self(1 << 45);
    /// In which flows they are.
    pub const IN_FLOW: Self = Self(1 << 46);
    /// What only the passing of time changes.
    pub const TIME: Self = Self(1 << 47);
    /// On which lists they are.
    pub const LISTS: Self = Self(1 << 62);
    /// Interactions of any kind.
    pub const INTERACTIONS: Self = Self(((1 << KINDS) - 1) << FIRST_KIND);

    /// A field, by its identifier.
    pub fn field(identifier: &str) -> Self {
        Self(1 << (xxh3_64(identifier.as_bytes()) % FIELDS))
    }

    /// Interactions of a kind.
    pub fn kind(kind: Kind) -> Self {
        let place = u32::try_from(kind.number()).unwrap_or_default() % KINDS;
        Self(1 << (FIRST_KIND + place))
    }

    /// Everything that changes when a line of this kind is written with what it tells of.
    pub fn by_line(kind: Kind) -> Self {
        let beside = match kind {
            Kind::Dismissal => Self::IN_FLOW,
            Kind::Unsubscribed | Kind::Resubscribed => Self::SUBSCRIPTIONS,
            Kind::ConsentChanged => Self::CONSENTS,
            Kind::StatusChanged => Self::STATUS,
            _ if kind.is_activity() => Self::ACTIVITY,
            _ => Self::NOTHING,
        };
        Self::kind(kind) | beside
    }

    /// Whether the two have anything in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// As it is stored; never negative.
    pub fn bits(self) -> i64 {
        self.0
    }

    pub fn from_bits(bits: i64) -> Self {
        Self(bits & i64::MAX)
    }
}

impl BitOr for Touched {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Touched {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Condition {
    /// What the condition asks about, and the segments it names; a change of nothing in it leaves
    /// everybody on the side where they are.
    pub fn asks(&self, revision: &Revision) -> Touched {
        let mut asked = Touched::NOTHING;
        for part in self.unfolded(revision) {
            asked |= part.asks_itself();
        }
        asked
    }

    /// This condition, every one below it and those of the segments it names, each segment once.
    pub fn unfolded<'a>(&'a self, revision: &'a Revision) -> Vec<&'a Self> {
        let mut parts = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let mut open = vec![self];
        while let Some(condition) = open.pop() {
            condition.walk(&mut |part| parts.push(part));
            for part in &parts {
                let Self::Segment(id) = part else { continue };
                let Some(segment) = revision.segments.get(id) else {
                    continue;
                };
                if !seen.contains(&id.as_str()) {
                    seen.push(id);
                    open.push(&segment.condition);
                }
            }
        }
        parts
    }

    fn asks_itself(&self) -> Touched {
        match self {
            // Their parts are asked; what a number or an identifier decides never changes.
            Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Segment(_) | Self::Random(_) => {
                Touched::NOTHING
            }
            Self::Field { field, .. } | Self::Many { field, .. } => Touched::field(field),
            Self::Tag(_) => Touched::TAGS,
            Self::List(_) => Touched::LISTS,
            Self::Rating(_) => Touched::STATUS | Touched::ACTIVITY,
            Self::Status(_) | Self::Identified(_) => Touched::STATUS,
            Self::Moment { moment, .. } => match moment {
                Moment::Created => Touched::TIME,
                Moment::LastActivity | Moment::LastEngagement | Moment::LastTransaction => {
                    Touched::ACTIVITY
                }
            },
            Self::Consent { .. } => Touched::CONSENTS,
            Self::Subscribed(_) => Touched::SUBSCRIPTIONS,
            Self::Did(did) => match did.kind.sent_on() {
                Some(_) => Touched::DISPATCHES,
                None => Touched::kind(did.kind),
            },
            Self::InFlow(_) => Touched::IN_FLOW,
            Self::Nps(_) => Touched::kind(Kind::NpsAnswered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::segment::Segment;

    fn with(segments: &[(&str, Condition)]) -> Revision {
        let mut revision = Revision::default();
        for (id, condition) in segments {
            let segment = Segment {
                id: (*id).to_owned(),
                description: None,
                condition: condition.clone(),
            };
            revision.segments.insert((*id).to_owned(), segment);
        }
        revision
    }

    #[test]
    fn bits_never_move_because_they_are_stored() {
        assert_eq!(Touched::field("city").bits(), 1 << 12);
        assert_eq!(Touched::kind(Kind::Login).bits(), 1 << 54);
        assert_eq!(Touched::EVERYTHING.bits(), i64::MAX);
    }

    #[test]
    fn every_bit_is_met_by_everything_and_no_two_places_overlap() {
        let places = [
            Touched::TAGS,
            Touched::STATUS,
            Touched::CONSENTS,
            Touched::SUBSCRIPTIONS,
            Touched::ACTIVITY,
            Touched::DISPATCHES,
            Touched::IN_FLOW,
            Touched::TIME,
            Touched::LISTS,
            Touched::INTERACTIONS,
            Touched::field("city"),
        ];
        for (n, place) in places.iter().enumerate() {
            assert!(place.meets(Touched::EVERYTHING), "{n}");
            assert!(!place.meets(Touched::NOTHING), "{n}");
            assert!(
                places[n + 1..].iter().all(|other| !place.meets(*other)),
                "{n}"
            );
        }
        for kind in Kind::ALL {
            assert!(
                Touched::kind(*kind).meets(Touched::INTERACTIONS),
                "{kind:?}"
            );
            assert!(
                Touched::by_line(*kind).meets(Touched::kind(*kind)),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_segment_asks_what_the_segments_it_names_ask_and_a_circle_ends() {
        let to = |id: &str| Condition::Segment(id.to_owned());
        let inner = Condition::Not(Box::new(Condition::Tag("vip".to_owned())));
        let revision = with(&[
            ("a", Condition::Any(vec![to("b"), to("a")])),
            (
                "b",
                Condition::All(vec![inner, to("a"), Condition::Random(5)]),
            ),
        ]);
        assert_eq!(to("a").asks(&revision), Touched::TAGS);
        assert_eq!(Condition::Random(5).asks(&revision), Touched::NOTHING);
    }
}
