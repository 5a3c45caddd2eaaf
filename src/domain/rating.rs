//! Owns the rating: how active a customer is, computed from the last activity and never set by hand.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::customer::Status;

/// A customer's activity, by whole calendar days in the workspace's zone.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rating {
    /// Active in the last 15 days.
    New,
    /// 16 to 45 days ago.
    Frequent,
    /// 46 to 120 days ago.
    Dormant,
    /// More than 120 days ago.
    Expired,
    /// Never.
    Inactive,
    /// Excluded from sends.
    Discarded,
}

/// The last day, counted back from today, of each rating: `new`, `frequent`, `dormant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingBounds {
    pub new: u32,
    pub frequent: u32,
    pub dormant: u32,
}

impl Default for RatingBounds {
    fn default() -> Self {
        Self {
            new: 15,
            frequent: 45,
            dormant: 120,
        }
    }
}

impl Rating {
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Frequent,
        Self::Dormant,
        Self::Expired,
        Self::Inactive,
        Self::Discarded,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Frequent => "frequent",
            Self::Dormant => "dormant",
            Self::Expired => "expired",
            Self::Inactive => "inactive",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.as_str() == text)
    }

    /// Rates a customer on the day `today`.
    pub fn of(
        status: Status,
        last_activity: Option<Date>,
        today: Date,
        bounds: RatingBounds,
    ) -> Self {
        if status == Status::Discarded {
            return Self::Discarded;
        }
        let Some(last) = last_activity else {
            return Self::Inactive;
        };
        let days = today
            .since(last)
            .map_or(0, |span| span.get_days().max(0).unsigned_abs());
        if days <= bounds.new {
            Self::New
        } else if days <= bounds.frequent {
            Self::Frequent
        } else if days <= bounds.dormant {
            Self::Dormant
        } else {
            Self::Expired
        }
    }
}

/// From which instants on an activity makes a customer new, frequent or dormant; what is older has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingStarts {
    pub new: Timestamp,
    pub frequent: Timestamp,
    pub dormant: Timestamp,
}

impl RatingStarts {
    /// As of `now`: each begins with a day of the workspace's zone.
    pub fn of(bounds: RatingBounds, now: Timestamp, zone: &TimeZone) -> Self {
        let today = now.to_zoned(zone.clone()).date();
        let start = |days: u32| {
            let day = today.saturating_sub(jiff::Span::new().days(days.min(MOST_DAYS)));
            let begin = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0));
            begin.compatible().unwrap_or(Timestamp::MIN)
        };
        Self {
            new: start(bounds.new),
            frequent: start(bounds.frequent),
            dormant: start(bounds.dormant),
        }
    }

    /// The rating of somebody who is not discarded.
    pub fn rating(self, last_activity: Option<Timestamp>) -> Rating {
        match last_activity {
            None => Rating::Inactive,
            Some(at) if at >= self.new => Rating::New,
            Some(at) if at >= self.frequent => Rating::Frequent,
            Some(at) if at >= self.dormant => Rating::Dormant,
            Some(_) => Rating::Expired,
        }
    }
}

/// Nobody's activity is older.
const MOST_DAYS: u32 = 100_000;

/// How many customers there are of each rating; who is suspended is counted apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RatingCounts {
    pub ratings: BTreeMap<Rating, u64>,
    pub suspended: u64,
}

impl RatingCounts {
    /// Counts customers of this status whose activity rates them so.
    pub fn add(&mut self, status: Status, by_activity: Rating, count: u64) {
        let of = match status {
            Status::Suspended => &mut self.suspended,
            Status::Discarded => self.ratings.entry(Rating::Discarded).or_default(),
            Status::Active => self.ratings.entry(by_activity).or_default(),
        };
        *of += count;
    }

    pub fn of(&self, rating: Rating) -> u64 {
        self.ratings.get(&rating).copied().unwrap_or_default()
    }

    /// Everybody.
    pub fn total(&self) -> u64 {
        self.ratings.values().sum::<u64>() + self.suspended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    #[test]
    fn the_six_boundaries_are_whole_days() {
        let today = date(2026, 11, 22);
        for (days, expected) in [
            (0, Rating::New),
            (15, Rating::New),
            (16, Rating::Frequent),
            (45, Rating::Frequent),
            (46, Rating::Dormant),
            (120, Rating::Dormant),
            (121, Rating::Expired),
            (4000, Rating::Expired),
        ] {
            let last = today.checked_sub(days.days()).unwrap();
            let rating = Rating::of(Status::Active, Some(last), today, RatingBounds::default());
            assert_eq!(rating, expected, "{days} days ago");
        }
        let never = Rating::of(Status::Active, None, today, RatingBounds::default());
        assert_eq!(never, Rating::Inactive);
    }

    proptest::proptest! {
        #[test]
        fn bounds_as_instants_rate_as_days_do(
            now in 0_i64..4_000_000_000,
            ago in proptest::option::of(0_i64..200 * 86_400),
            zone in proptest::sample::select(&["UTC", "America/New_York", "Asia/Beirut", "Pacific/Apia"][..]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let instant = |seconds| Timestamp::from_second(seconds).unwrap();
            let (at, last) = (instant(now), ago.map(|ago| instant(now - ago)));
            let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
            let bounds = RatingBounds::default();
            let by_days = Rating::of(Status::Active, last.map(day), day(at), bounds);
            proptest::prop_assert_eq!(RatingStarts::of(bounds, at, &zone).rating(last), by_days);
        }
    }
}
