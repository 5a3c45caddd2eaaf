//! Owns how an instant is written for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-22 09:30`, on the clocks of the zone.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%d %H:%M").to_string()
}
