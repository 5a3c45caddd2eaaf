//! Owns the durations people write: calendar parts (days, weeks, months) and elapsed parts (hours, minutes, seconds).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A written duration such as `4d`, `1d 12h`, `1mo`.
///
/// In flows the calendar parts keep the wall clock in the customer's zone; the elapsed part is added after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Delay {
    pub months: i32,
    pub days: i32,
    pub seconds: i64,
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDuration {
    #[error("a duration is needed, such as `4d`, `12h` or `1d 12h`")]
    Empty,
    #[error(
        "`{0}` is not a duration: write a number and a unit (`s`, `min`, `h`, `d`, `w`, `mo`), such as `4d` or `1d 12h`"
    )]
    Part(String),
    #[error(
        "`{0}` has no such unit: use `s`, `min`, `h`, `d`, `w` or `mo` (`m` alone could mean minutes or months)"
    )]
    Unit(String),
    #[error("`{0}` is longer than a hundred years")]
    TooLong(String),
}

const CENTURY_DAYS: i64 = 36_525;

impl Delay {
    pub const ZERO: Self = Self {
        months: 0,
        days: 0,
        seconds: 0,
    };

    pub const fn days(days: i32) -> Self {
        Self {
            months: 0,
            days,
            seconds: 0,
        }
    }

    pub const fn seconds(seconds: i64) -> Self {
        Self {
            months: 0,
            days: 0,
            seconds,
        }
    }

    pub const fn hours(hours: i64) -> Self {
        Self::seconds(hours * 3600)
    }

    /// The same span backwards; people do not write such ones.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            months: -self.months,
            days: -self.days,
            seconds: -self.seconds,
        }
    }

    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The length in seconds with a day of 24 hours and a month of 30 days: for bounds, never for calendars.
    pub fn approximate_seconds(self) -> i64 {
        (i64::from(self.months) * 30 + i64::from(self.days)) * 86_400 + self.seconds
    }

    fn add(&mut self, number: i64, unit: &str, part: &str) -> Result<(), BadDuration> {
        let days = |n: i64| i32::try_from(n).map_err(|_| BadDuration::TooLong(part.to_owned()));
        match unit {
            "s" | "sec" => self.seconds += number,
            "min" => self.seconds += number * 60,
            "h" => self.seconds += number * 3600,
            "d" => self.days += days(number)?,
            "w" => self.days += days(number * 7)?,
            "mo" => self.months += days(number)?,
            _ => return Err(BadDuration::Unit(part.to_owned())),
        }
        Ok(())
    }
}

impl FromStr for Delay {
    type Err = BadDuration;

    fn from_str(text: &str) -> Result<Self, BadDuration> {
        let mut delay = Self::ZERO;
        let mut parts = text.split_whitespace().peekable();
        if parts.peek().is_none() {
            return Err(BadDuration::Empty);
        }
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: i64 = part[..digits]
                .parse()
                .map_err(|_| BadDuration::Part(part.to_owned()))?;
            if number > CENTURY_DAYS * 86_400 {
                return Err(BadDuration::TooLong(part.to_owned()));
            }
            delay.add(number, &part[digits..], part)?;
            if delay.approximate_seconds() > CENTURY_DAYS * 86_400 {
                return Err(BadDuration::TooLong(text.to_owned()));
            }
        }
        Ok(delay)
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (
            self.seconds / 3600,
            self.seconds / 60 % 60,
            self.seconds % 60,
        );
        let parts = [
            (i64::from(self.months), "mo"),
            (i64::from(self.days), "d"),
            (hours, "h"),
            (minutes, "min"),
            (seconds, "s"),
        ];
        let written: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number != 0)
            .map(|(number, unit)| format!("{number}{unit}"))
            .collect();
        f.write_str(
            if written.is_empty() {
                "0s".into()
            } else {
                written.join(" ")
            }
            .as_str(),
        )
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> Self {
        delay.to_string()
    }
}

impl TryFrom<String> for Delay {
    type Error = BadDuration;

    fn try_from(text: String) -> Result<Self, BadDuration> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write_back() {
        for (text, expected) in [
            ("90s", Delay::seconds(90)),
            (
                "1d 12h",
                Delay {
                    months: 0,
                    days: 1,
                    seconds: 43_200,
                },
            ),
            ("2w", Delay::days(14)),
            (
                "1mo",
                Delay {
                    months: 1,
                    days: 0,
                    seconds: 0,
                },
            ),
            ("0s", Delay::ZERO),
        ] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!(delay, expected, "{text}");
            assert_eq!(delay.to_string().parse::<Delay>().unwrap(), delay);
        }
    }

    #[test]
    fn what_is_not_a_duration_says_so() {
        for text in ["", "4", "d", "4 d", "5m", "-3d", "999999999999d", "4days"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
