//! Owns days that people name: the next Tuesday, the second business day, a birthday, a date of the customer's.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::planning::instant;
use super::window::Days;

/// How far ahead the business day of a month is looked for: more than a year of months has it.
const MONTHS: i32 = 24;
/// From one 29 February to the next, over a year that has none of it.
const YEARS: i32 = 9;

/// Where and by which holidays days are counted.
#[derive(Debug, Clone, Copy)]
pub struct Reckoning<'a> {
    pub zone: &'a TimeZone,
    pub holidays: &'a BTreeSet<Date>,
}

/// From when on something may happen on a day: from `anchor` on, at a time of day or at any.
#[derive(Debug, Clone, Copy)]
pub struct Anchored<'a> {
    pub anchor: Timestamp,
    pub at: Option<Time>,
    pub reckoning: Reckoning<'a>,
}

impl Anchored<'_> {
    /// The first moment of the day that is not before the anchor; none: the day is over.
    pub fn moment_of(&self, day: Date) -> Option<Timestamp> {
        let zone = self.reckoning.zone;
        let start = |day: Date| instant(day.to_datetime(Time::midnight()), zone);
        if let Some(at) = self.at {
            return Some(instant(day.to_datetime(at), zone)).filter(|at| *at >= self.anchor);
        }
        let end = start(day.tomorrow().ok()?);
        (end > self.anchor).then(|| start(day).max(self.anchor))
    }

    /// The first of these days that has such a moment.
    fn first(&self, days: impl Iterator<Item = Option<Date>>) -> Timestamp {
        let mut moments = days.flatten().filter_map(|day| self.moment_of(day));
        moments.next().unwrap_or(Timestamp::MAX)
    }

    fn today(&self) -> Date {
        self.reckoning.zone.to_datetime(self.anchor).date()
    }

    /// The next such day of the week; today counts.
    pub fn weekday(&self, monday_zero: i8) -> Timestamp {
        let today = self.today();
        let days = (0..=7).map(|ahead| today.checked_add(ahead.days()).ok());
        let is_it = |day: &Date| day.weekday().to_monday_zero_offset() == monday_zero;
        self.first(days.map(|day| day.filter(is_it)))
    }

    /// The next `nth` business day of a month, counted from 1; a month that has fewer has none.
    pub fn business_day(&self, nth: u8) -> Timestamp {
        let first = self.today().first_of_month();
        let months = (0..MONTHS).map(|ahead| first.checked_add(ahead.months()).ok());
        self.first(months.map(|month| business_day(month?, nth, self.reckoning.holidays)))
    }

    /// The next day on which the month and day come round; 29 February is the 28th in other years.
    pub fn anniversary(&self, of: Date) -> Timestamp {
        let year = i32::from(self.today().year());
        let years = (0..YEARS).filter_map(|ahead| i16::try_from(year + ahead).ok());
        self.first(years.map(|year| in_year(of, year)))
    }
}

fn business_day(first_of_month: Date, nth: u8, holidays: &BTreeSet<Date>) -> Option<Date> {
    let days = (0..first_of_month.days_in_month())
        .filter_map(|ahead| first_of_month.checked_add(i32::from(ahead).days()).ok());
    let mut days = days.filter(|day| Days::BUSINESS.includes(*day, holidays));
    days.nth(usize::from(nth).checked_sub(1)?)
}

fn in_year(day: Date, year: i16) -> Option<Date> {
    let same = Date::new(year, day.month(), day.day());
    same.or_else(|_| Date::new(year, day.month(), 28)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::zone_named;
    use rstest::rstest;

    fn with<T>(anchor: &str, at: Option<Time>, asked: impl Fn(&Anchored<'_>) -> T) -> T {
        let holidays = BTreeSet::from(["2026-05-01".parse().unwrap()]);
        let zone = zone_named("America/New_York").unwrap();
        let reckoning = Reckoning {
            zone: &zone,
            holidays: &holidays,
        };
        let anchor = anchor.parse().unwrap();
        asked(&Anchored {
            anchor,
            at,
            reckoning,
        })
    }

    fn at(text: &str) -> Option<Time> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    // 5 January 2026 is a Monday; New York is five hours behind.
    #[rstest]
    #[case::today_at_once("2026-01-05T15:00:00Z", "", 0, "2026-01-05T15:00:00Z")]
    #[case::today_at_its_time("2026-01-05T14:00:00Z", "10:00", 0, "2026-01-05T15:00:00Z")]
    #[case::too_late_today("2026-01-05T15:00:01Z", "10:00", 0, "2026-01-12T15:00:00Z")]
    #[case::by_the_local_date("2026-01-06T04:59:00Z", "", 0, "2026-01-06T04:59:00Z")]
    #[case::tomorrow_begins_at_midnight("2026-01-05T15:00:00Z", "", 1, "2026-01-06T05:00:00Z")]
    #[case::over_the_change_of_the_clock(
        "2026-03-07T17:00:00Z",
        "09:00",
        0,
        "2026-03-09T13:00:00Z"
    )]
    fn a_weekday_is_the_next_one(
        #[case] anchor: &str,
        #[case] time: &str,
        #[case] weekday: i8,
        #[case] expected: Timestamp,
    ) {
        assert_eq!(
            with(anchor, at(time), |from| from.weekday(weekday)),
            expected
        );
    }

    // 1 May 2026 is a Friday and a holiday; 4 May is the first business day.
    #[rstest]
    #[case("2026-04-30T16:00:00Z", 1, "2026-05-04T13:00:00Z")]
    #[case("2026-05-04T13:00:01Z", 1, "2026-06-01T13:00:00Z")]
    #[case("2026-05-04T16:00:00Z", 2, "2026-05-05T13:00:00Z")]
    // May has twenty, June twenty-two.
    #[case("2026-05-04T16:00:00Z", 21, "2026-06-29T13:00:00Z")]
    fn a_business_day_skips_weekends_and_holidays(
        #[case] anchor: &str,
        #[case] nth: u8,
        #[case] expected: Timestamp,
    ) {
        assert_eq!(
            with(anchor, at("09:00"), |from| from.business_day(nth)),
            expected
        );
    }

    #[rstest]
    #[case("1980-07-14", "2026-07-14T16:00:00Z", "", "2026-07-14T16:00:00Z")]
    #[case("1980-07-14", "2026-07-14T16:00:00Z", "09:00", "2027-07-14T13:00:00Z")]
    #[case("2000-02-29", "2026-01-01T16:00:00Z", "09:00", "2026-02-28T14:00:00Z")]
    #[case("2000-02-29", "2028-01-01T16:00:00Z", "09:00", "2028-02-29T14:00:00Z")]
    fn an_anniversary_is_the_next_time_it_comes_round(
        #[case] of: Date,
        #[case] anchor: &str,
        #[case] time: &str,
        #[case] expected: Timestamp,
    ) {
        assert_eq!(
            with(anchor, at(time), |from| from.anniversary(of)),
            expected
        );
    }

    #[test]
    fn a_day_that_is_over_has_no_moment() {
        let yesterday = "2026-01-04".parse().unwrap();
        assert_eq!(
            with("2026-01-05T15:00:00Z", None, |from| from
                .moment_of(yesterday)),
            None
        );
        // Its time of day alone may be over, too.
        let today = "2026-01-05".parse().unwrap();
        let at_nine = with("2026-01-05T15:00:00Z", at("09:00"), |from| {
            from.moment_of(today)
        });
        assert_eq!(at_nine, None);
    }
}
