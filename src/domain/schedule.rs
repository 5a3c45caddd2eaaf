//! Owns instants that come round: a cron expression of five parts, in the workspace's zone.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule(String);

impl Schedule {
    /// The first instant after `at`; none: it never comes again.
    pub fn after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let cron = cron(&self.0).ok()?;
        let next = cron.find_next_occurrence(&at.to_zoned(zone.clone()), false);
        next.ok().map(|next| next.timestamp())
    }

    /// The last instant that has come by `at`; none: it never came.
    pub fn last(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let cron = cron(&self.0).ok()?;
        let last = cron.find_previous_occurrence(&at.to_zoned(zone.clone()), true);
        last.ok().map(|last| last.timestamp())
    }
}

fn cron(text: &str) -> Result<Cron, String> {
    let parser = CronParser::builder();
    let parser = parser.seconds(Seconds::Disallowed).year(Year::Disallowed);
    let read = parser.build().parse(text);
    read.map_err(|error| error.to_string())
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cron(text).map(|_| Self(text.to_owned()))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn in_paris(text: &str) -> Timestamp {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.in_tz("Europe/Paris").unwrap().timestamp()
    }

    #[rstest]
    #[case::of_the_month(
        "0 9 1 * *",
        "2026-01-15T12:00",
        "2026-02-01T09:00",
        "2026-01-01T09:00"
    )]
    #[case::by_the_clock_of_the_zone(
        "0 9 * * *",
        "2026-03-28T10:00",
        "2026-03-29T09:00",
        "2026-03-28T09:00"
    )]
    #[case::at_the_instant_itself(
        "0 9 * * mon",
        "2026-01-05T09:00",
        "2026-01-12T09:00",
        "2026-01-05T09:00"
    )]
    fn an_instant_comes_round(
        #[case] schedule: &str,
        #[case] at: &str,
        #[case] next: &str,
        #[case] last: &str,
    ) {
        let schedule: Schedule = schedule.parse().unwrap();
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let at = in_paris(at);
        assert_eq!(schedule.after(at, &zone), Some(in_paris(next)));
        assert_eq!(schedule.last(at, &zone), Some(in_paris(last)));
    }

    #[rstest]
    #[case("every monday")]
    #[case("0 0 9 1 * *")]
    #[case("61 9 * * *")]
    #[case("")]
    fn what_is_no_schedule_is_refused(#[case] text: &str) {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
}
