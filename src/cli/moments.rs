//! Owns how an instant is written for people, and how wide their terminal is.

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::calendar;
pub(crate) use crate::domain::moment::moment;

/// What is written to something that is no terminal may be this wide.
const WIDE: usize = 100;

/// `2026-11-22 09:30 America/New_York (14:30 UTC)`.
pub(crate) fn moment_in(at: Timestamp, zone: &TimeZone) -> String {
    let local = moment(at, zone);
    let Some(name) = zone.iana_name().filter(|name| *name != "UTC") else {
        return format!("{local} UTC");
    };
    let utc = at.to_zoned(TimeZone::UTC);
    format!("{local} {name} ({} UTC)", utc.strftime("%H:%M"))
}

/// A date in the workspace's zone, a time by its clock, or an instant.
pub(crate) fn given(text: &str, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    // A date alone is its midnight.
    let wall = text.parse::<DateTime>();
    let wall = wall.with_context(|| {
        format!("`{text}` is no date: write it such as 2026-01-31 or 2026-01-31T09:30")
    })?;
    Ok(calendar::instant(wall, zone))
}

/// The columns of the terminal that reads stdout.
pub(crate) fn width() -> usize {
    match console::Term::stdout().size_checked() {
        Some((_, columns)) => usize::from(columns),
        None => WIDE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-01-31", "2026-01-31T05:00:00Z")]
    #[case("2026-01-31T09:30", "2026-01-31T14:30:00Z")]
    #[case("2026-01-31 09:30:15", "2026-01-31T14:30:15Z")]
    #[case("2026-01-31T09:30Z", "2026-01-31T09:30:00Z")]
    #[case("2026-01-31T09:30+02:00", "2026-01-31T07:30:00Z")]
    fn a_moment_is_given_as_a_date_a_time_or_an_instant(#[case] text: &str, #[case] at: &str) {
        let zone = TimeZone::get("America/New_York").unwrap();
        let expected: Timestamp = at.parse().unwrap();
        assert_eq!(given(text, &zone).unwrap(), expected);
    }

    #[test]
    fn what_is_no_moment_says_how_to_write_one() {
        let error = given("yesterday", &TimeZone::UTC).unwrap_err();
        assert!(error.to_string().contains("2026-01-31T09:30"), "{error}");
    }
}
