//! Owns how one customer's rating changed: derived from the days of activity, and never stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::Serialize;

use super::customer::Status;
use super::rating::{Rating, RatingBounds};

/// From this day on the customer had this rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RatingChange {
    #[schema(value_type = String, format = Date)]
    pub on: Date,
    pub rating: Rating,
}

/// What a rating follows from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// When the customer was added.
    pub begins: Date,
    /// Days with an activity, in any order; those before the beginning count from it on.
    pub active: BTreeSet<Date>,
    /// The status from a day on, the last one of that day.
    pub statuses: BTreeMap<Date, Status>,
}

/// The ratings from the beginning to `today`, the oldest first; two that follow each other differ.
pub fn changes(life: &Life, today: Date, bounds: RatingBounds) -> Vec<RatingChange> {
    let mut changes: Vec<RatingChange> = Vec::new();
    for on in turns(life, bounds).range(..=today).copied() {
        let rating = rating_on(life, on, bounds);
        if changes.last().is_none_or(|last| last.rating != rating) {
            changes.push(RatingChange { on, rating });
        }
    }
    changes
}

/// The only days on which it can change.
fn turns(life: &Life, bounds: RatingBounds) -> BTreeSet<Date> {
    let after = |day: &Date, days: u32| {
        let span = Span::new().try_days(i64::from(days));
        let span = span.unwrap_or_default();
        day.saturating_add(span).saturating_add(1.day())
    };
    let of_activity = life.active.iter().flat_map(|day| {
        let ends = [bounds.new, bounds.frequent, bounds.dormant];
        ends.map(|days| after(day, days)).into_iter().chain([*day])
    });
    let of_statuses = life.statuses.keys().copied();
    let all = of_activity
        .chain(of_statuses)
        .map(|day| day.max(life.begins));
    all.chain([life.begins]).collect()
}

fn rating_on(life: &Life, day: Date, bounds: RatingBounds) -> Rating {
    let last = life.active.range(..=day).next_back().copied();
    let status = life.statuses.range(..=day).next_back();
    let status = status.map(|(_, status)| *status).unwrap_or_default();
    Rating::of(status, last, day, bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const FIRST: Date = date(2025, 1, 1);

    fn day(number: i64) -> Date {
        FIRST.saturating_add(Span::new().days(number))
    }

    /// Day by day, without a thought.
    fn stepped(life: &Life, today: Date, bounds: RatingBounds) -> Vec<RatingChange> {
        let mut changes: Vec<RatingChange> = Vec::new();
        let mut on = life.begins;
        while on <= today {
            let rating = rating_on(life, on, bounds);
            if changes.last().is_none_or(|last| last.rating != rating) {
                changes.push(RatingChange { on, rating });
            }
            on = on.tomorrow().unwrap();
        }
        changes
    }

    proptest! {
        #[test]
        fn the_history_of_a_rating_is_that_of_every_single_day(
            begins in 0_i64..50,
            active in proptest::collection::btree_set(0_i64..500, 0..8),
            statuses in proptest::collection::btree_map(0_i64..500, 0_i64..3, 0..3),
            lasting in 0_i64..600,
            bounds in (1_u32..20, 1_u32..30, 1_u32..80),
        ) {
            let life = Life {
                begins: day(begins),
                active: active.into_iter().map(day).collect(),
                statuses: statuses
                    .into_iter()
                    .map(|(on, status)| (day(on), Status::from_number(status)))
                    .collect(),
            };
            let bounds = RatingBounds {
                new: bounds.0,
                frequent: bounds.0 + bounds.1,
                dormant: bounds.0 + bounds.1 + bounds.2,
            };
            let today = day(begins + lasting);
            prop_assert_eq!(changes(&life, today, bounds), stepped(&life, today, bounds));
        }
    }

    #[test]
    fn who_was_written_to_once_goes_through_every_rating() {
        let life = Life {
            begins: day(0),
            active: [day(10)].into(),
            statuses: [(day(200), Status::Discarded)].into(),
        };
        let history = changes(&life, day(300), RatingBounds::default());
        let history: Vec<_> = history
            .into_iter()
            .map(|change| (change.on, change.rating))
            .collect();
        let expected = [
            (day(0), Rating::Inactive),
            (day(10), Rating::New),
            (day(26), Rating::Frequent),
            (day(56), Rating::Dormant),
            (day(131), Rating::Expired),
            (day(200), Rating::Discarded),
        ];
        assert_eq!(history, expected);
    }
}
