//! Owns when quiet hours and windows next let a message out.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::window::{Window, WindowZone};
use crate::domain::held::HeldBecause;
use crate::domain::policy::QuietHours;

/// How far ahead an opening is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);

/// When a message may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// None: not within 400 days.
    pub at: Option<Timestamp>,
    /// What is closed at the beginning; without meaning when nothing is.
    pub closed_by: HeldBecause,
}

/// The earliest instant from `from` on that the quiet hours and all windows allow.
///
/// Everything is asked of the clock on the wall: an hour shown twice is twice quiet or twice open.
/// Quiet hours count in the customer's zone, a window in its own choice of the two.
pub fn opens(
    from: Timestamp,
    quiet: Option<QuietHours>,
    windows: &[Window],
    holidays: &BTreeSet<Date>,
    customer: &TimeZone,
    workspace: &TimeZone,
) -> Opening {
    let quiet = quiet.map(|hours| (Rule::Quiet(hours), customer));
    let windows = windows.iter().map(|window| {
        let zone = match window.zone {
            WindowZone::Customer => customer,
            WindowZone::Workspace => workspace,
        };
        (Rule::Window(window), zone)
    });
    let rules = quiet.into_iter().chain(windows);
    let closed = |at| {
        let mut rules = rules.clone();
        rules.find(|(rule, zone)| !rule.allows(zone.to_datetime(at), holidays))
    };
    let mut opening = Opening {
        at: Some(from),
        closed_by: HeldBecause::QuietHours,
    };
    if let Some((rule, _)) = closed(from) {
        opening.closed_by = rule.closes_as();
    }
    while let Some((rule, zone)) = opening.at.and_then(closed) {
        let later = opening.at.and_then(|at| rule.reopens(at, zone, holidays));
        opening.at = later.filter(|at| at.duration_since(from) <= HORIZON);
    }
    opening
}

#[derive(Clone, Copy)]
enum Rule<'a> {
    Quiet(QuietHours),
    Window(&'a Window),
}

impl Rule<'_> {
    fn closes_as(self) -> HeldBecause {
        match self {
            Self::Quiet(_) => HeldBecause::QuietHours,
            Self::Window(_) => HeldBecause::Window,
        }
    }

    fn allows(self, wall: DateTime, holidays: &BTreeSet<Date>) -> bool {
        match self {
            Self::Quiet(hours) => !is_quiet(hours, wall.time()),
            Self::Window(window) => is_open(window, wall, holidays),
        }
    }

    /// A later instant to look at again, no later than the next at which this rule allows. Between
    /// two changes of the clock it is the very instant; a change itself is always looked at.
    fn reopens(
        self,
        at: Timestamp,
        zone: &TimeZone,
        holidays: &BTreeSet<Date>,
    ) -> Option<Timestamp> {
        let offset = zone.to_offset(at);
        let wall = offset.to_datetime(at);
        let later = match self {
            Self::Quiet(hours) => quiet_ends(hours, wall),
            Self::Window(window) => window_opens(window, wall, holidays),
        };
        let later = later.and_then(|wall| offset.to_timestamp(wall).ok())?;
        let change = zone.following(at).next().map(|change| change.timestamp());
        Some(change.map_or(later, |change| change.min(later)))
    }
}

fn is_quiet(hours: QuietHours, time: Time) -> bool {
    if hours.from <= hours.until {
        hours.from <= time && time < hours.until
    } else {
        hours.from <= time || time < hours.until
    }
}

fn quiet_ends(hours: QuietHours, wall: DateTime) -> Option<DateTime> {
    let day = if wall.time() < hours.until {
        wall.date()
    } else {
        wall.date().tomorrow().ok()?
    };
    Some(day.to_datetime(hours.until))
}

/// Hours after midnight belong to the day on which the window opened.
fn is_open(window: &Window, wall: DateTime, holidays: &BTreeSet<Date>) -> bool {
    let (day, time) = (wall.date(), wall.time());
    let on = |day: Date| window.days.includes(day, holidays);
    match window.from.cmp(&window.until) {
        Ordering::Less => on(day) && window.from <= time && time < window.until,
        Ordering::Equal => on(day),
        Ordering::Greater => {
            let since_yesterday = time < window.until && day.yesterday().is_ok_and(on);
            (window.from <= time && on(day)) || since_yesterday
        }
    }
}

fn window_opens(window: &Window, wall: DateTime, holidays: &BTreeSet<Date>) -> Option<DateTime> {
    let whole_day = window.from == window.until;
    let from = if whole_day {
        Time::midnight()
    } else {
        window.from
    };
    let days = wall.date().series(jiff::Span::new().days(1)).take(400);
    days.filter(|day| window.days.includes(*day, holidays))
        .map(|day| day.to_datetime(from))
        .find(|opening| *opening > wall)
}

#[cfg(test)]
mod tests {
    use super::super::planning::zone_named;
    use super::super::window::Days;
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;
    use rstest::rstest;

    fn hours(from: &str, until: &str) -> QuietHours {
        QuietHours {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        }
    }

    fn window(days: Days, from: &str, until: &str) -> Window {
        Window {
            days,
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            zone: WindowZone::Customer,
        }
    }

    fn open(from: &str, quiet: Option<QuietHours>, windows: &[Window], zone: &str) -> Opening {
        let zone = zone_named(zone).unwrap();
        let holidays = BTreeSet::from([date(2026, 12, 25)]);
        let workspace = zone_named("Europe/Paris").unwrap();
        opens(
            from.parse().unwrap(),
            quiet,
            windows,
            &holidays,
            &zone,
            &workspace,
        )
    }

    const SAT: Days = Days {
        weekdays: 0b10_0000,
        except_holidays: false,
    };

    #[rstest]
    #[case::before("2026-01-05T20:59:00-05", "2026-01-05T20:59:00-05")]
    #[case::at_the_start("2026-01-05T21:00:00-05", "2026-01-06T08:00:00-05")]
    #[case::after_midnight("2026-01-06T03:00:00-05", "2026-01-06T08:00:00-05")]
    #[case::at_the_end("2026-01-06T08:00:00-05", "2026-01-06T08:00:00-05")]
    #[case::spring_forward("2026-03-07T23:00:00-05", "2026-03-08T08:00:00-04")]
    #[case::fall_back("2026-10-31T23:00:00-04", "2026-11-01T08:00:00-05")]
    fn quiet_hours_over_midnight_end_in_the_morning(
        #[case] from: &str,
        #[case] expected: Timestamp,
    ) {
        let opening = open(from, Some(hours("21:00", "08:00")), &[], "America/New_York");
        assert_eq!(opening.at, Some(expected));
        assert_eq!(opening.closed_by, HeldBecause::QuietHours);
    }

    #[rstest]
    #[case::friday_evening(
        Days::BUSINESS,
        "09:00",
        "18:00",
        "2026-01-09T18:00:00-05",
        "2026-01-12T09:00:00-05"
    )]
    #[case::christmas(
        Days::BUSINESS,
        "09:00",
        "18:00",
        "2026-12-24T20:00:00-05",
        "2026-12-28T09:00:00-05"
    )]
    #[case::named_days_ignore_holidays(Days { weekdays: 0b1_0000, except_holidays: false }, "09:00", "18:00", "2026-12-24T20:00:00-05", "2026-12-25T09:00:00-05")]
    #[case::overnight_belongs_to_its_day(
        SAT,
        "22:00",
        "02:00",
        "2026-01-11T01:59:00-05",
        "2026-01-11T01:59:00-05"
    )]
    #[case::the_night_before_is_not(
        SAT,
        "22:00",
        "02:00",
        "2026-01-10T01:00:00-05",
        "2026-01-10T22:00:00-05"
    )]
    #[case::whole_day(
        SAT,
        "00:00",
        "00:00",
        "2026-01-05T12:00:00-05",
        "2026-01-10T00:00:00-05"
    )]
    #[case::the_weekday_is_local(
        SAT,
        "00:00",
        "24:00",
        "2026-01-10T22:00:00-05",
        "2026-01-10T22:00:00-05"
    )]
    fn a_window_opens_on_its_days(
        #[case] days: Days,
        #[case] from: &str,
        #[case] until: &str,
        #[case] at: &str,
        #[case] expected: Timestamp,
    ) {
        let until = if until == "24:00" { "00:00" } else { until };
        let opening = open(at, None, &[window(days, from, until)], "America/New_York");
        assert_eq!(opening.at, Some(expected));
    }

    #[test]
    fn a_window_may_count_by_the_workspaces_clock() {
        let own = Window {
            zone: WindowZone::Workspace,
            ..window(Days::EVERY, "09:00", "10:00")
        };
        let opening = open("2026-01-05T12:00:00Z", None, &[own], "America/New_York");
        assert_eq!(opening.at, Some("2026-01-06T08:00:00Z".parse().unwrap()));
        assert_eq!(opening.closed_by, HeldBecause::Window);
    }

    #[test]
    fn equal_quiet_hours_are_none_and_what_never_opens_says_so() {
        let at = "2026-01-05T12:00:00Z";
        let nothing = Some(hours("08:00", "08:00"));
        assert_eq!(open(at, nothing, &[], "UTC").at, Some(at.parse().unwrap()));
        let inside = [window(Days::EVERY, "22:00", "06:00")];
        let never = open(at, Some(hours("21:00", "08:00")), &inside, "UTC");
        assert_eq!(
            never,
            Opening {
                at: None,
                closed_by: HeldBecause::Window
            }
        );
        let no_day = window(
            Days {
                weekdays: 0,
                except_holidays: false,
            },
            "09:00",
            "18:00",
        );
        assert_eq!(open(at, None, &[no_day], "UTC").at, None);
    }

    /// Looks at every minute and knows nothing of the above but what is quiet and what is open.
    fn by_the_minute(
        from: Timestamp,
        quiet: QuietHours,
        window: Option<(u8, Time, Time)>,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        let minute = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let within = |from: Time, until: Time, now: i32| {
            let length = (minute(until) - minute(from)).rem_euclid(1440);
            ((now - minute(from)).rem_euclid(1440)) < length
        };
        let minutes = (0..9 * 1440).map(|n| from + SignedDuration::from_mins(n));
        minutes.into_iter().find(|at| {
            let wall = zone.to_datetime(*at);
            let now = minute(wall.time());
            let day = i32::from(wall.date().weekday().to_monday_zero_offset());
            let loud = !within(quiet.from, quiet.until, now);
            loud && window.is_none_or(|(days, from, until)| {
                let opened = if minute(until) < minute(from) && now < minute(until) {
                    day + 6
                } else {
                    day
                };
                let hit = from == until || within(from, until, now);
                hit && days & (1 << (opened % 7)) != 0
            })
        })
    }

    /// Around every change of clocks in 2026.
    fn moments() -> impl Strategy<Value = (&'static str, Timestamp)> {
        let changes = prop::sample::select(vec![
            ("Australia/Sydney", "2026-04-04T16:00:00Z"),
            ("Australia/Sydney", "2026-10-03T16:00:00Z"),
            ("America/New_York", "2026-03-08T07:00:00Z"),
            ("America/New_York", "2026-11-01T06:00:00Z"),
            ("America/Santiago", "2026-04-05T03:00:00Z"),
            ("America/Santiago", "2026-09-06T04:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
        ]);
        (changes, -2200..1500_i64).prop_map(|((zone, change), minutes)| {
            let change: Timestamp = change.parse().unwrap();
            (zone, change + SignedDuration::from_mins(minutes))
        })
    }

    fn quarter() -> impl Strategy<Value = Time> {
        (0..96_i8).prop_map(|quarter| time(quarter / 4, quarter % 4 * 15, 0, 0))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn openings_are_what_looking_at_every_minute_finds(
            (zone, from) in moments(),
            quiet in (quarter(), quarter()),
            days in prop::option::of((1..128_u8, quarter(), quarter())),
        ) {
            let zone = zone_named(zone).unwrap();
            let quiet = QuietHours { from: quiet.0, until: quiet.1 };
            let windows: Vec<Window> = days.iter().map(|(weekdays, from, until)| Window {
                days: Days { weekdays: *weekdays, except_holidays: false },
                from: *from,
                until: *until,
                zone: WindowZone::Customer,
            }).collect();
            let found = opens(from, Some(quiet), &windows, &BTreeSet::new(), &zone, &TimeZone::UTC);
            let expected = by_the_minute(from, quiet, days, &zone);
            let near = from + SignedDuration::from_mins(9 * 1440);
            prop_assert_eq!(found.at.filter(|at| *at < near), expected);
        }
    }
}
