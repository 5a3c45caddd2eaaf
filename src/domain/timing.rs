//! Owns what a step is timed by: a delay, a date, or something that is waited for.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::calendar::{self, Reckoning};
use super::customer::{Customer, FieldValue};
use super::duration::Delay;
use super::segment::Condition;
use super::value::Value;

/// What a step is timed by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Counted from the end of the step before.
    After(Delay),
    Due(DueBy),
    WaitFor(WaitFor),
}

impl Default for When {
    fn default() -> Self {
        Self::After(Delay::ZERO)
    }
}

/// A day to time a step by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueBy {
    /// A date or instant of the customer's, moved by a span.
    Field { field: String, moved: Moved },
    /// The next time that a date of the customer's comes round.
    AnniversaryOf(String),
    /// The next such day; Monday is 0.
    Weekday(i8),
    /// The next such business day of a month, counted from 1.
    BusinessDay(u8),
}

/// To which side of a date, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moved {
    Before(Delay),
    After(Delay),
}

/// Something that a customer may do, and what comes after it has been waited for long enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WaitFor {
    pub until: Condition,
    pub at_most: Delay,
    pub otherwise: Otherwise,
}

/// What follows when it did not happen in time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    #[default]
    Next,
    Exit,
    /// A later step of the flow.
    Step(String),
}

/// When a step is meant for one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    At(Timestamp),
    /// The customer has no such date.
    Dateless,
    /// The date was over when the step before was finished.
    Over,
}

impl When {
    /// The same for everybody in one zone; none: only the customer's own facts tell.
    pub fn for_all(
        &self,
        anchor: Timestamp,
        at: Option<Time>,
        reckoning: Reckoning<'_>,
    ) -> Option<Timestamp> {
        let from = calendar::Anchored {
            anchor,
            at,
            reckoning,
        };
        match self {
            Self::After(delay) => Some(calendar::planned(anchor, *delay, at, reckoning.zone)),
            Self::Due(DueBy::Weekday(day)) => Some(from.weekday(*day)),
            Self::Due(DueBy::BusinessDay(nth)) => Some(from.business_day(*nth)),
            Self::Due(DueBy::Field { .. } | DueBy::AnniversaryOf(_)) | Self::WaitFor(_) => None,
        }
    }

    /// For one customer: what is waited for is meant when the wait is over.
    pub fn meant(
        &self,
        customer: &Customer,
        anchor: Timestamp,
        at: Option<Time>,
        reckoning: Reckoning<'_>,
    ) -> Meant {
        let from = calendar::Anchored {
            anchor,
            at,
            reckoning,
        };
        match self {
            Self::Due(DueBy::Field { field, moved }) => {
                value(customer, field).map_or(Meant::Dateless, |value| moved.from(value, &from))
            }
            Self::Due(DueBy::AnniversaryOf(field)) => match value(customer, field) {
                Some(Value::Date(date)) => Meant::At(from.anniversary(*date)),
                Some(Value::Instant(instant)) => {
                    let date = reckoning.zone.to_datetime(*instant).date();
                    Meant::At(from.anniversary(date))
                }
                _ => Meant::Dateless,
            },
            Self::WaitFor(wait) => Meant::At(calendar::after(anchor, wait.at_most, reckoning.zone)),
            Self::After(_) | Self::Due(DueBy::Weekday(_) | DueBy::BusinessDay(_)) => {
                Meant::At(self.for_all(anchor, at, reckoning).unwrap_or(anchor))
            }
        }
    }

    /// The customer's field that a step is timed by.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Due(DueBy::Field { field, .. } | DueBy::AnniversaryOf(field)) => Some(field),
            _ => None,
        }
    }

    pub fn wait_for(&self) -> Option<&WaitFor> {
        match self {
            Self::WaitFor(wait) => Some(wait),
            Self::After(_) | Self::Due(_) => None,
        }
    }

    /// Whether it follows the clock on the wall, and not only the time that has passed.
    pub fn is_by_zone(&self) -> bool {
        match self {
            Self::After(delay) => delay.days != 0 || delay.months != 0,
            Self::Due(_) => true,
            Self::WaitFor(_) => false,
        }
    }
}

impl fmt::Display for When {
    /// As the file says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(delay) => delay.fmt(f),
            Self::Due(due) => due.fmt(f),
            Self::WaitFor(wait) => write!(f, "at most {}", wait.at_most),
        }
    }
}

impl fmt::Display for DueBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { field, moved } => match moved {
                Moved::Before(span) => write!(f, "{span} before {field}"),
                Moved::After(Delay::ZERO) => write!(f, "on {field}"),
                Moved::After(span) => write!(f, "{span} after {field}"),
            },
            Self::AnniversaryOf(field) => write!(f, "on the anniversary of {field}"),
            Self::Weekday(day) => {
                let day = usize::try_from(*day)
                    .ok()
                    .and_then(|day| calendar::WEEK.get(day));
                write!(f, "on the next {}", day.unwrap_or(&"day"))
            }
            Self::BusinessDay(nth) => write!(f, "on business day {nth} of the month"),
        }
    }
}

impl Moved {
    fn span(self) -> Delay {
        match self {
            Self::After(span) => span,
            Self::Before(span) => span.reversed(),
        }
    }

    fn from(self, value: &Value, from: &calendar::Anchored<'_>) -> Meant {
        let zone = from.reckoning.zone;
        let moved = |instant| calendar::after(instant, self.span(), zone);
        let moment = match (value, from.at) {
            (Value::Date(date), _) => {
                let start = calendar::instant(date.to_datetime(Time::midnight()), zone);
                from.moment_of(zone.to_datetime(moved(start)).date())
            }
            (Value::Instant(instant), Some(_)) => {
                from.moment_of(zone.to_datetime(moved(*instant)).date())
            }
            (Value::Instant(instant), None) => {
                Some(moved(*instant)).filter(|moved| *moved >= from.anchor)
            }
            _ => return Meant::Dateless,
        };
        moment.map_or(Meant::Over, Meant::At)
    }
}

fn value<'a>(customer: &'a Customer, field: &str) -> Option<&'a Value> {
    match customer.fields.get(field)? {
        FieldValue::One(value) => Some(value),
        FieldValue::Many(_) => None,
    }
}
