//! Owns when a step is meant: a delay counted on the customer's calendar, and a time of day.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use crate::domain::duration::Delay;

/// The zone of an IANA name such as `Australia/Sydney`.
pub fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The instant at which clocks of the zone show `wall`. One that they skip becomes the first after
/// the gap; one that they show twice is the first.
pub fn instant(wall: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    if let AmbiguousOffset::Gap { after, .. } = ambiguous.offset()
        && let Ok(before_gap) = after.to_timestamp(wall)
        && let Some(gap) = zone.following(before_gap).next()
    {
        return gap.timestamp();
    }
    ambiguous.compatible().unwrap_or(Timestamp::MAX)
}

/// `delay` after `anchor`: months and days keep the wall clock of the zone, hours and less are
/// elapsed time counted after them.
pub fn after(anchor: Timestamp, delay: Delay, zone: &TimeZone) -> Timestamp {
    let elapsed = SignedDuration::from_secs(delay.seconds);
    on_calendar(anchor, delay, zone)
        .checked_add(elapsed)
        .unwrap_or(Timestamp::MAX)
}

/// `delay` before `now`, the same way.
pub fn before(now: Timestamp, delay: Delay, zone: &TimeZone) -> Timestamp {
    after(now, delay.reversed(), zone)
}

fn on_calendar(anchor: Timestamp, delay: Delay, zone: &TimeZone) -> Timestamp {
    if delay.months == 0 && delay.days == 0 {
        return anchor;
    }
    let span = Span::new()
        .try_months(delay.months)
        .and_then(|span| span.try_days(delay.days));
    span.and_then(|span| zone.to_datetime(anchor).checked_add(span))
        .map_or(Timestamp::MAX, |wall| instant(wall, zone))
}

/// When a step is meant: `delay` after `anchor`, and then the next time that clocks show `at`.
pub fn planned(anchor: Timestamp, delay: Delay, at: Option<Time>, zone: &TimeZone) -> Timestamp {
    let earliest = after(anchor, delay, zone);
    let Some(at) = at else {
        return earliest;
    };
    let today = zone.to_datetime(earliest).date();
    let days = [Some(today), today.tomorrow().ok()];
    days.into_iter()
        .flatten()
        .map(|day| instant(day.to_datetime(at), zone))
        .find(|instant| *instant >= earliest)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn delay(text: &str) -> Delay {
        text.parse().unwrap()
    }

    #[rstest]
    #[case(
        "2026-03-07T12:00:00Z",
        "1d",
        "America/New_York",
        "2026-03-08T11:00:00Z"
    )]
    #[case(
        "2026-10-31T12:00:00Z",
        "1d",
        "America/New_York",
        "2026-11-01T13:00:00Z"
    )]
    #[case(
        "2026-03-07T07:30:00Z",
        "1d",
        "America/New_York",
        "2026-03-08T07:00:00Z"
    )]
    #[case(
        "2026-03-07T07:30:00Z",
        "1d 1h",
        "America/New_York",
        "2026-03-08T08:00:00Z"
    )]
    #[case(
        "2026-10-31T05:30:00Z",
        "1d",
        "America/New_York",
        "2026-11-01T05:30:00Z"
    )]
    #[case(
        "2026-11-01T06:30:00Z",
        "0s",
        "America/New_York",
        "2026-11-01T06:30:00Z"
    )]
    #[case(
        "2026-11-01T06:30:00Z",
        "24h",
        "America/New_York",
        "2026-11-02T06:30:00Z"
    )]
    #[case("2026-01-31T12:00:00Z", "1mo", "UTC", "2026-02-28T12:00:00Z")]
    #[case("2024-02-29T12:00:00Z", "12mo", "UTC", "2025-02-28T12:00:00Z")]
    #[case(
        "2026-09-05T04:15:00Z",
        "1d",
        "America/Santiago",
        "2026-09-06T04:00:00Z"
    )]
    #[case(
        "2026-10-02T15:45:00Z",
        "1d",
        "Australia/Lord_Howe",
        "2026-10-03T15:30:00Z"
    )]
    #[case(
        "9999-12-01T00:00:00Z",
        "12mo",
        "UTC",
        "9999-12-30T22:00:00.999999999Z"
    )]
    fn a_delay_keeps_the_wall_clock(
        #[case] anchor: Timestamp,
        #[case] text: &str,
        #[case] zone: &str,
        #[case] expected: Timestamp,
    ) {
        let zone = zone_named(zone).unwrap();
        assert_eq!(after(anchor, delay(text), &zone), expected);
    }

    #[rstest]
    #[case("2026-01-05T15:00:00Z", "0s", "10:00", "2026-01-05T15:00:00Z")]
    #[case("2026-01-05T15:00:01Z", "0s", "10:00", "2026-01-06T15:00:00Z")]
    #[case("2026-01-05T15:00:00Z", "7d", "09:00", "2026-01-13T14:00:00Z")]
    #[case("2026-03-08T06:00:00Z", "0s", "02:30", "2026-03-08T07:00:00Z")]
    #[case("2026-03-08T07:10:00Z", "0s", "02:30", "2026-03-09T06:30:00Z")]
    #[case("2026-11-01T05:45:00Z", "0s", "01:30", "2026-11-02T06:30:00Z")]
    fn a_time_of_day_is_the_next_one_at_or_after_the_delay(
        #[case] anchor: Timestamp,
        #[case] text: &str,
        #[case] at: Time,
        #[case] expected: Timestamp,
    ) {
        let zone = zone_named("America/New_York").unwrap();
        assert_eq!(planned(anchor, delay(text), Some(at), &zone), expected);
    }

    proptest! {
        #[test]
        fn a_plan_is_never_before_its_delay_and_shows_its_time_of_day(
            second in 1_767_225_600_i64..1_798_761_600,
            days in 0..40,
            minute in 0..1440_i64,
            zone in prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"]),
        ) {
            let zone = zone_named(zone).unwrap();
            let anchor = Timestamp::from_second(second).unwrap();
            let delay = Delay::days(days);
            let at = Time::midnight() + SignedDuration::from_mins(minute);
            let planned = planned(anchor, delay, Some(at), &zone);
            let earliest = after(anchor, delay, &zone);
            prop_assert!(planned >= earliest);
            prop_assert!(planned.duration_since(earliest) <= SignedDuration::from_hours(25));
            let shown = zone.to_datetime(planned);
            let wanted = shown.date().to_datetime(at);
            let just_before = zone.to_datetime(planned - SignedDuration::from_nanos(1));
            prop_assert!(shown == wanted || (just_before < wanted && wanted < shown));
        }
    }
}
