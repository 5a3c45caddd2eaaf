//! Owns what a condition is compiled against and what comes out of it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bind::Bind;
use super::instants::{day_number, start_of};
use crate::domain::duration::Delay;
use crate::domain::revision::{Numbers, Revision};

/// The revision that gives the names their meaning, and the moment that "now" is.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub revision: &'a Revision,
    pub numbers: &'a Numbers,
    pub now: Timestamp,
}

/// What a condition is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// The alias `c` = customers.
    Customer,
    /// The alias `e` = enrollments beside `c`: `did` counts from the enrollment's start.
    Enrollment,
}

/// A condition as SQL over the alias `c`, and its values in the order of their placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    pub sql: String,
    pub binds: Vec<Bind>,
}

/// The values of a predicate as it grows: each gets the next placeholder.
#[derive(Debug, Clone)]
pub(super) struct Binds {
    first: usize,
    pub(super) values: Vec<Bind>,
}

impl Binds {
    pub(super) fn from(first: usize) -> Self {
        Self {
            first,
            values: Vec::new(),
        }
    }

    /// The number of the next placeholder.
    pub(super) fn next(&self) -> usize {
        self.first + self.values.len()
    }

    /// Takes the value and returns its placeholder's number.
    pub(super) fn place(&mut self, bind: Bind) -> usize {
        let next = self.next();
        self.values.push(bind);
        next
    }

    pub(super) fn add(&mut self, bind: Bind) -> String {
        format!("${}", self.place(bind))
    }

    pub(super) fn text(&mut self, text: &str) -> String {
        self.add(Bind::Text(text.to_owned()))
    }

    pub(super) fn int(&mut self, number: impl Into<i64>) -> String {
        self.add(Bind::Int(number.into()))
    }
}

/// How a column counts time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Days since 1970-01-01.
    Days,
    /// Microseconds since 1970 UTC.
    Instants,
}

/// "Now" in the workspace's zone, and what lies before and after it.
#[derive(Debug)]
pub(super) struct Now {
    pub(super) microseconds: i64,
    pub(super) today: Date,
    pub(super) zone: TimeZone,
}

impl Now {
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        let zone = frame.revision.time_zone();
        Self {
            microseconds: frame.now.as_microsecond(),
            today: frame.now.to_zoned(zone.clone()).date(),
            zone,
        }
    }

    /// Where a day begins on this scale.
    pub(super) fn begin(&self, day: Date, scale: Scale) -> i64 {
        match scale {
            Scale::Days => day_number(day),
            Scale::Instants => start_of(day, &self.zone),
        }
    }

    /// So many days before today; hours count as whole days of 24.
    pub(super) fn days_ago(&self, delay: Delay) -> Date {
        self.today.saturating_sub(span(delay))
    }

    pub(super) fn days_ahead(&self, delay: Delay) -> Date {
        self.today.saturating_add(span(delay))
    }

    pub(super) fn start_of_days_ago(&self, days: u32) -> i64 {
        let day = self
            .today
            .saturating_sub(jiff::Span::new().days(days.min(MOST_DAYS)));
        start_of(day, &self.zone)
    }
}

/// A hundred years, like the longest duration.
const MOST_DAYS: u32 = 36_525;

fn span(delay: Delay) -> jiff::Span {
    let hours_as_days = delay.seconds / 86_400;
    jiff::Span::new()
        .months(delay.months)
        .days(i64::from(delay.days) + hours_as_days)
}

/// The length of a duration on the scale of instants: days of 24 hours, months of 30 days.
pub(super) fn microseconds(delay: Delay) -> i64 {
    delay.approximate_seconds() * 1_000_000
}
