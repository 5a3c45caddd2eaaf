//! Owns tests of dates and instants: each is a span of a column, so a missing value meets none.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use serde_json::json;

use super::bind::Bind;
use super::dialect::{Listed, one_of};
use super::segment_frame::{Binds, Now, Scale, microseconds};
use crate::domain::segment::DateTest;

/// The first year of which anniversaries are found.
const FIRST_YEAR: i16 = 1850;
/// No instant of a customer's record is older than this.
const OLDEST: Date = date(1900, 1, 1);

/// `from` included, `until` not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bounds {
    from: Option<i64>,
    until: Option<i64>,
}

/// The test as SQL over the column.
pub(super) fn sql(
    binds: &mut Binds,
    now: &Now,
    column: &str,
    scale: Scale,
    test: &DateTest,
) -> String {
    match test {
        DateTest::Exists => format!("({column} IS NOT NULL)"),
        DateTest::Missing => format!("({column} IS NULL)"),
        DateTest::Anniversary { within_days } => {
            anniversary(binds, now, column, scale, *within_days)
        }
        _ => between(binds, column, bounds(now, scale, test)),
    }
}

fn between(binds: &mut Binds, column: &str, bounds: Bounds) -> String {
    let from = bounds
        .from
        .map(|from| format!("{column} >= {}", binds.int(from)));
    let until = bounds
        .until
        .map(|until| format!("{column} < {}", binds.int(until)));
    let parts: Vec<String> = from.into_iter().chain(until).collect();
    format!("({})", parts.join(" AND "))
}

fn bounds(now: &Now, scale: Scale, test: &DateTest) -> Bounds {
    let begin = |day: Date| now.begin(day, scale);
    let end = |day: Date| now.begin(day.tomorrow().unwrap_or(Date::MAX), scale);
    let span = |from, until| Bounds {
        from: Some(from),
        until: Some(until),
    };
    let until = |until| Bounds {
        from: None,
        until: Some(until),
    };
    // An instant counts up to and including now: the bound that is not included is one later.
    let after = now.microseconds + 1;
    match (test, scale) {
        (DateTest::Before(day), _) => until(begin(*day)),
        (DateTest::On(day), _) => span(begin(*day), end(*day)),
        (DateTest::After(day), _) => Bounds {
            from: Some(end(*day)),
            until: None,
        },
        (DateTest::Between(first, last), _) => span(begin(*first), end(*last)),
        (DateTest::WithinLast(d), Scale::Days) => span(begin(now.days_ago(*d)), end(now.today)),
        (DateTest::WithinLast(d), Scale::Instants) => span(after - microseconds(*d), after),
        (DateTest::OlderThan(d), Scale::Days) => until(begin(now.days_ago(*d))),
        (DateTest::OlderThan(d), Scale::Instants) => until(after - microseconds(*d)),
        (DateTest::ExactlyAgo(d), _) => span(begin(now.days_ago(*d)), end(now.days_ago(*d))),
        (DateTest::WithinNext(d), Scale::Days) => span(begin(now.today), end(now.days_ahead(*d))),
        (DateTest::WithinNext(d), Scale::Instants) => span(after, after + microseconds(*d)),
        (DateTest::Anniversary { .. } | DateTest::Exists | DateTest::Missing, _) => {
            Bounds::default()
        }
    }
}

fn anniversary(
    binds: &mut Binds,
    now: &Now,
    column: &str,
    scale: Scale,
    within_days: u32,
) -> String {
    let days = days_with_anniversary(now.today, within_days);
    match scale {
        Scale::Days => {
            let days: Vec<i64> = days.into_iter().map(|day| now.begin(day, scale)).collect();
            let list = binds.place(Bind::Text(json!(days).to_string()));
            format!("({})", one_of(column, Listed::Whole, list))
        }
        Scale::Instants => {
            let spans: Vec<String> = runs(days.into_iter().filter(|day| *day >= OLDEST))
                .into_iter()
                .map(|(first, last)| {
                    let bounds = bounds(now, scale, &DateTest::Between(first, last));
                    between(binds, column, bounds)
                })
                .collect();
            format!("({})", spans.join(" OR "))
        }
    }
}

/// Every day of the past whose month and day come round from today on; sorted.
/// The 29th of February comes round on the 28th when a year has none.
fn days_with_anniversary(today: Date, within_days: u32) -> Vec<Date> {
    let mut days = Vec::new();
    let last = i64::from(within_days.min(366));
    for day in (0..=last).filter_map(|n| today.checked_add(jiff::Span::new().days(n)).ok()) {
        for year in FIRST_YEAR..=today.year() {
            days.extend(Date::new(year, day.month(), day.day()));
            if day.month() == 2 && day.day() == 28 && !day.in_leap_year() {
                days.extend(Date::new(year, 2, 29));
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

/// Days in a row, as their first and last.
fn runs(days: impl IntoIterator<Item = Date>) -> Vec<(Date, Date)> {
    let mut runs: Vec<(Date, Date)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if last.tomorrow().is_ok_and(|next| next == day) => *last = day,
            _ => runs.push((day, day)),
        }
    }
    runs
}

/// The values of which the test can say otherwise at `after` than it did at `before`: each from the
/// first on and below the second.
pub(super) fn moved(before: &Now, after: &Now, scale: Scale, test: &DateTest) -> Vec<(i64, i64)> {
    let DateTest::Anniversary { within_days } = test else {
        let (was, is) = (bounds(before, scale, test), bounds(after, scale, test));
        let ends = [was.from.zip(is.from), was.until.zip(is.until)];
        let ends = ends.into_iter().flatten();
        return ends.map(|(was, is)| (was.min(is), was.max(is))).collect();
    };
    let days = |now: &Now| -> BTreeSet<Date> {
        let days = days_with_anniversary(now.today, *within_days);
        days.into_iter().collect()
    };
    let (was, is) = (days(before), days(after));
    let moved = was.symmetric_difference(&is).copied();
    let begin = |day: Date| after.begin(day, scale);
    let runs = runs(moved).into_iter();
    runs.map(|(first, last)| (begin(first), begin(last.tomorrow().unwrap_or(Date::MAX))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_29th_of_february_comes_round_on_the_28th_of_other_years() {
        let born = date(2000, 2, 29);
        let comes = |today| days_with_anniversary(today, 0).contains(&born);
        assert!(comes(date(2026, 2, 28)));
        assert!(!comes(date(2026, 3, 1)));
        assert!(comes(date(2028, 2, 29)));
        assert!(!comes(date(2028, 2, 28)));
    }

    #[test]
    fn an_anniversary_within_days_runs_over_the_new_year() {
        let days = days_with_anniversary(date(2026, 12, 30), 3);
        assert!(days.contains(&date(1990, 12, 30)));
        assert!(days.contains(&date(1990, 1, 2)));
        assert!(!days.contains(&date(1990, 1, 3)));
        assert_eq!(runs(days).len(), 2026 - 1850 + 2);
    }
}
