//! Owns the edges of a condition: where time alone, without any change, moves customers in or out.

use super::customer_columns::{Class, Column};
use super::segment_dates;
use super::segment_frame::{Now, Scale, microseconds};
use crate::domain::channel::Channel;
use crate::domain::interaction::Kind;
use crate::domain::rating::{Rating, RatingBounds};
use crate::domain::revision::Revision;
use crate::domain::segment::{Condition, DateTest, Moment, Test};
use crate::domain::touched::Touched;

/// One way in which time moves customers over the edge of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub(super) axis: Axis,
    pub(super) passing: Passing,
    /// What it changes of those whom it moves.
    pub touches: Touched,
}

/// What time passes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Axis {
    /// A column of `customers`.
    Customer(String),
    /// A column of `activity`.
    Activity(&'static str),
    /// The instants of a kind of interactions.
    Interactions(Kind),
    /// When messages of a channel were handed over.
    Dispatches(Channel),
}

/// When it passes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passing {
    /// So many microseconds after each instant.
    Instant(i64),
    /// When a day begins in the workspace's zone.
    Day(Day),
}

/// What the beginning of a day moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Day {
    Test(Scale, DateTest),
    Rating(Rating, RatingBounds),
}

/// All edges of a condition and of the segments it names; none: time changes nothing.
pub fn edges(condition: &Condition, revision: &Revision) -> Vec<Edge> {
    let mut edges = Vec::new();
    for part in condition.unfolded(revision) {
        for edge in of_part(part, revision) {
            if !edges.contains(&edge) {
                edges.push(edge);
            }
        }
    }
    edges
}

fn of_part(part: &Condition, revision: &Revision) -> Vec<Edge> {
    match part {
        Condition::Field {
            field,
            test: Test::Date(test),
        } => {
            let touches = Touched::field(field);
            let column = revision.data_model.field(field);
            let Some(column) = column.and_then(|field| Column::of(field).ok()) else {
                return Vec::new();
            };
            let axis = Axis::Customer(column.name);
            match column.class {
                Class::Instant => of_instant(&axis, touches, test),
                _ => of_day(axis, touches, Scale::Days, test),
            }
        }
        Condition::Moment { moment, test } => {
            let (axis, touches) = of_moment(*moment);
            of_instant(&axis, touches, test)
        }
        Condition::Rating(Rating::Discarded | Rating::Inactive) => Vec::new(),
        Condition::Rating(rating) => {
            let (axis, touches) = of_moment(Moment::LastActivity);
            let passing = Passing::Day(Day::Rating(*rating, revision.rating));
            vec![Edge {
                axis,
                passing,
                touches,
            }]
        }
        Condition::Did(did) => {
            let Some(span) = did.within_last else {
                return Vec::new();
            };
            let (axis, touches) = match did.kind.sent_on() {
                Some(channel) => (Axis::Dispatches(channel), Touched::DISPATCHES),
                None => (Axis::Interactions(did.kind), Touched::kind(did.kind)),
            };
            let passing = Passing::Instant(microseconds(span));
            vec![Edge {
                axis,
                passing,
                touches,
            }]
        }
        _ => Vec::new(),
    }
}

fn of_moment(moment: Moment) -> (Axis, Touched) {
    let column = match moment {
        Moment::Created => return (Axis::Customer("created_at".to_owned()), Touched::TIME),
        Moment::LastActivity => "last_activity_at",
        Moment::LastEngagement => "last_engagement_at",
        Moment::LastTransaction => "last_transaction_at",
    };
    (Axis::Activity(column), Touched::ACTIVITY)
}

fn of_instant(axis: &Axis, touches: Touched, test: &DateTest) -> Vec<Edge> {
    let after = |microseconds| Edge {
        axis: axis.clone(),
        passing: Passing::Instant(microseconds),
        touches,
    };
    match test {
        DateTest::WithinLast(span) => vec![after(0), after(microseconds(*span))],
        DateTest::OlderThan(span) => vec![after(microseconds(*span))],
        DateTest::WithinNext(span) => vec![after(-microseconds(*span)), after(0)],
        _ => of_day(axis.clone(), touches, Scale::Instants, test),
    }
}

fn of_day(axis: Axis, touches: Touched, scale: Scale, test: &DateTest) -> Vec<Edge> {
    let relative = matches!(
        test,
        DateTest::WithinLast(_)
            | DateTest::OlderThan(_)
            | DateTest::ExactlyAgo(_)
            | DateTest::WithinNext(_)
            | DateTest::Anniversary { .. }
    );
    let edge = || Edge {
        axis,
        passing: Passing::Day(Day::Test(scale, test.clone())),
        touches,
    };
    relative.then(edge).into_iter().collect()
}

impl Edge {
    /// The values that the edge has met after `before` and up to `after`: each from the first on and
    /// below the second.
    pub(super) fn crossed(&self, before: &Now, after: &Now) -> Vec<(i64, i64)> {
        match &self.passing {
            Passing::Instant(_) => vec![(self.ahead(before), self.ahead(after))],
            Passing::Day(_) if before.today == after.today => Vec::new(),
            Passing::Day(Day::Test(scale, test)) => {
                segment_dates::moved(before, after, *scale, test)
            }
            Passing::Day(Day::Rating(rating, bounds)) => {
                let ends = match rating {
                    Rating::New => vec![bounds.new],
                    Rating::Frequent => vec![bounds.new, bounds.frequent],
                    Rating::Dormant => vec![bounds.frequent, bounds.dormant],
                    Rating::Expired => vec![bounds.dormant],
                    Rating::Inactive | Rating::Discarded => Vec::new(),
                };
                let moved = |days: u32| {
                    (
                        before.start_of_days_ago(days),
                        after.start_of_days_ago(days),
                    )
                };
                ends.into_iter().map(moved).collect()
            }
        }
    }

    /// The first instant that this edge has not met yet.
    pub(super) fn ahead(&self, now: &Now) -> i64 {
        now.microseconds - self.offset() + 1
    }

    /// So long after an instant it is met; nothing for edges that days move.
    pub(super) fn offset(&self) -> i64 {
        match self.passing {
            Passing::Instant(offset) => offset,
            Passing::Day(_) => 0,
        }
    }

    pub(super) fn is_of_days(&self) -> bool {
        matches!(self.passing, Passing::Day(_))
    }
}
