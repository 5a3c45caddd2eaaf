//! Owns how an instant is written for people, and how wide their terminal is.

use jiff::Timestamp;
use jiff::tz::TimeZone;

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

/// The columns of the terminal that reads stdout.
pub(crate) fn width() -> usize {
    match console::Term::stdout().size_checked() {
        Some((_, columns)) => usize::from(columns),
        None => WIDE,
    }
}
