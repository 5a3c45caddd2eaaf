//! Owns the rating: how active a customer is, computed from the last activity and never set by hand.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::customer::Status;

/// A customer's activity, by whole calendar days in the workspace's zone.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
}
