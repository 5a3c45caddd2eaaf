//! Owns the identities: buckets, customers, enrollments, dispatches, and the small numbers of named things.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many virtual buckets the customers are spread over; fixed for the life of a store.
pub const BUCKETS: u16 = 1024;
const SEQUENCE_BITS: u32 = 48;

/// A virtual partition: `xxh3(unique id) % 1024`, the first column of every customer-side key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bucket(pub u16);

impl Bucket {
    /// The bucket of a customer's unique id (or of an address, for suppressions).
    pub fn of(key: &str) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_64(key.as_bytes()) % u64::from(BUCKETS);
        Self(u16::try_from(hash).unwrap_or_default())
    }

    /// The bucket held in the top bits of a customer or enrollment number.
    pub fn of_number(number: i64) -> Self {
        Self(u16::try_from(number >> SEQUENCE_BITS).unwrap_or_default())
    }

    /// The lowest number of this bucket; numbers are `bucket << 48 | sequence`.
    pub fn base(self) -> i64 {
        i64::from(self.0) << SEQUENCE_BITS
    }
}

/// Buckets that lie beside each other are held together, so many at a time.
pub const STRIPE: u16 = 16;
pub const STRIPES: u16 = BUCKETS / STRIPE;

/// Which stripes of buckets somebody holds, each by its number, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Stripes(Vec<u16>);

impl Stripes {
    pub fn all() -> Self {
        Self((0..STRIPES).collect())
    }

    /// Those of the share, of which there are `of`: a customer is in one share only.
    #[must_use]
    pub fn part(&self, share: Share) -> Self {
        let own = |stripe: &u16| stripe % share.of == share.index;
        self.0.iter().copied().filter(own).collect()
    }

    pub fn contains(&self, bucket: Bucket) -> bool {
        self.0.binary_search(&(bucket.0 / STRIPE)).is_ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.0.iter().copied()
    }

    /// Those of either.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        self.iter().chain(others.iter()).collect()
    }

    /// Those that are not among the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let others = &others.0;
        let left = |stripe: &u16| others.binary_search(stripe).is_err();
        self.iter().filter(left).collect()
    }

    /// Those of both.
    #[must_use]
    pub fn both(&self, others: &Self) -> Self {
        self.without(&self.without(others))
    }

    /// The first and last bucket of each run of stripes that lie beside each other.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u16>> {
        let runs = self.0.chunk_by(|one, next| one + 1 == *next);
        runs.filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            Some(first * STRIPE..=last * STRIPE + STRIPE - 1)
        })
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<u16> for Stripes {
    fn from_iter<I: IntoIterator<Item = u16>>(stripes: I) -> Self {
        let mut stripes: Vec<u16> = stripes.into_iter().collect();
        stripes.sort_unstable();
        stripes.dedup();
        Self(stripes)
    }
}

/// Every `of`th of the stripes that are held, from `index` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub index: u16,
    pub of: u16,
}

impl Share {
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// So many shares that are everything together.
    pub fn all(of: u16) -> impl Iterator<Item = Self> {
        (0..of).map(move |index| Self { index, of })
    }
}

macro_rules! bucketed_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            pub fn new(bucket: Bucket, sequence: i64) -> Self {
                Self(bucket.base() | sequence)
            }

            pub fn bucket(self) -> Bucket {
                Bucket::of_number(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

bucketed_number! {
    /// A customer's internal number: `bucket << 48 | sequence`. People see the unique id instead.
    CustomerId
}
bucketed_number! {
    /// One customer's run through a flow: `bucket << 48 | sequence`.
    EnrollmentId
}

macro_rules! small_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i32);

        impl From<$name> for i64 {
            fn from(number: $name) -> Self {
                Self::from(number.0)
            }
        }
    };
}

small_number! {
    /// A stable number of a flow, segment, campaign, category, group, tag or step; never reused.
    NameNo
}
small_number! {
    /// A published revision's number, counted from 1.
    RevisionNo
}

/// Which start of the daemon wrote something; it fences claims of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation(pub i64);

/// The random tag of one store, so that two stores never mint the same dispatch id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceTag(u64);

const STEP_BITS: u32 = 20;
const TAG_BITS: u32 = 44;

impl InstanceTag {
    /// Keeps the low 44 bits of `random`.
    pub fn new(random: u64) -> Self {
        Self(random & ((1 << TAG_BITS) - 1))
    }

    pub fn get(self) -> u64 {
        self.0
    }
}

/// One communication to one customer for one step: the Message-ID and the gateway's idempotency
/// key, the same on every retry.
///
/// A version 8 UUID (RFC 9562 §5.8) that packs the enrollment (58 bits: bucket and sequence), the
/// step (20 bits) and the store's tag (44 bits), so that a receipt routes to its row without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DispatchId(Uuid);

impl DispatchId {
    pub fn new(tag: InstanceTag, enrollment: EnrollmentId, step: NameNo) -> Self {
        let enrollment = u128::from(enrollment.0.unsigned_abs());
        let step = u128::from(step.0.unsigned_abs()) & ((1 << STEP_BITS) - 1);
        let payload =
            (enrollment << (STEP_BITS + TAG_BITS)) | (step << TAG_BITS) | u128::from(tag.0);
        // 122 payload bits around the version (bits 48-51) and variant (bits 64-65) fields.
        let high = payload >> 74;
        let middle = (payload >> 62) & 0xfff;
        let low = payload & ((1 << 62) - 1);
        let bits = (high << 80) | (0x8 << 76) | (middle << 64) | (0b10 << 62) | low;
        Self(Uuid::from_u128(bits))
    }

    fn payload(self) -> u128 {
        let bits = self.0.as_u128();
        ((bits >> 80) << 74) | (((bits >> 64) & 0xfff) << 62) | (bits & ((1 << 62) - 1))
    }

    pub fn enrollment(self) -> EnrollmentId {
        let number = self.payload() >> (STEP_BITS + TAG_BITS);
        EnrollmentId(i64::try_from(number).unwrap_or_default())
    }

    pub fn step(self) -> NameNo {
        let number = (self.payload() >> TAG_BITS) & ((1 << STEP_BITS) - 1);
        NameNo(i32::try_from(number).unwrap_or_default())
    }

    /// The id as its 16 bytes, for places where text is too long.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Reads back what [`Self::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Whether this id was minted by the store that carries `tag`.
    pub fn is_of(self, tag: InstanceTag) -> bool {
        self.payload() & ((1 << TAG_BITS) - 1) == u128::from(tag.0)
    }
}

impl fmt::Display for DispatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DispatchId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatch_id_gives_back_its_enrollment_and_step() {
        let tag = InstanceTag::new(u64::MAX);
        let enrollment = EnrollmentId::new(Bucket(1023), (1 << 48) - 1);
        let id = DispatchId::new(tag, enrollment, NameNo(1_000_000));
        let again: DispatchId = id.to_string().parse().unwrap();
        assert_eq!(again.enrollment(), enrollment);
        assert_eq!(again.step(), NameNo(1_000_000));
        assert!(again.is_of(tag));
        assert!(!again.is_of(InstanceTag::new(1)));
    }

    #[test]
    fn a_number_carries_its_bucket() {
        let id = CustomerId::new(Bucket(1023), 77);
        assert_eq!(id.bucket(), Bucket(1023));
        assert!(id.0 > 0);
    }
}
