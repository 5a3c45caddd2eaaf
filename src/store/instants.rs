//! Owns how time is numbered in the store: microseconds since 1970 UTC, and days since 1970-01-01.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::error::{Error, Result};

const EPOCH: Date = date(1970, 1, 1);

pub(super) fn instant(microseconds: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| Error::Corrupt(format!("{microseconds} is not an instant")))
}

pub(super) fn optional_instant(microseconds: Option<i64>) -> Result<Option<Timestamp>> {
    microseconds.map(instant).transpose()
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn day_number(day: Date) -> i64 {
    day.duration_since(EPOCH).as_hours() / 24
}

pub(super) fn day(number: i64) -> Result<Date> {
    Span::new()
        .try_days(number)
        .and_then(|days| EPOCH.checked_add(days))
        .map_err(|_| Error::Corrupt(format!("{number} is not a day")))
}

/// The microsecond at which a local day begins (the first instant of it, where midnight is skipped).
pub(super) fn start_of(day: Date, zone: &TimeZone) -> i64 {
    zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0))
        .compatible()
        .unwrap_or(Timestamp::MAX)
        .as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back_from_their_numbers() {
        for (text, number) in [("1970-01-01", 0), ("1969-12-31", -1), ("2024-02-29", 19782)] {
            let written: Date = text.parse().unwrap();
            assert_eq!(day_number(written), number, "{text}");
            assert_eq!(day(number).unwrap(), written);
        }
        assert!(day(i64::MAX).is_err());
    }
}
