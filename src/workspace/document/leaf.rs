//! Owns the texts that have a form of their own: durations, times, dates, paces, zones, identifiers.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::domain::calendar::{Days, WEEK};
use crate::domain::duration::{BadDuration, Delay};
use crate::domain::flow::Reentry;
use crate::domain::schedule::Schedule;
use crate::domain::value::parse_date;

/// The key in a schema that names how a text is read.
pub(crate) const FORM: &str = "x-form";

/// Declares each form once: its type, its name in schemas, a pattern for editors, and its reader.
macro_rules! leaves {
    ($($(#[$doc:meta])* $type:ident($inner:ty) $form:literal $pattern:literal $read:path;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq)]
            pub(crate) struct $type(pub(crate) $inner);

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(from)?;
                    $read(&text).map(Self).map_err(D::Error::custom)
                }
            }

            impl JsonSchema for $type {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": types($form), "x-form": $form, "pattern": $pattern })
                }
            }
        )*

        /// Reads `text` as the form that a schema names.
        pub(crate) fn read(form: &str, text: &str) -> Result<(), String> {
            match form {
                $($form => $read(text).map(drop),)*
                _ => Ok(()),
            }
        }
    };
}

leaves! {
    /// `4d`, `1d 12h`.
    Duration(Delay) "duration" r"^\s*(\d+(s|sec|min|h|d|w|mo)\s*)+$" duration;
    /// A name that is kept for ever: lower case, digits, `-`, `_`, `.`.
    Id(String) "id" r"^[a-z0-9][a-z0-9._-]*$" id;
    /// `09:00`.
    Clock(Time) "time" r"^([01]\d|2[0-3]):[0-5]\d$" clock;
    /// `09:00-18:00`; may run over midnight.
    Hours((Time, Time)) "hours" r"^\d\d:\d\d-\d\d:\d\d$" hours;
    /// `mon-fri`, `sat`, `business`, `every`.
    DayNames(Days) "days" r"^(business|every|[a-z]{3}(-[a-z]{3})?)$" days;
    /// `2026-12-31` or `31.12.2026`.
    Day(Date) "date" r"^(\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})$" day;
    /// `50 per second`: a number and seconds.
    Rate((u32, u32)) "rate" r"^\d+ per (second|minute|hour|day)$" rate;
    /// `4 per 7d`.
    CapLimit((u32, Delay)) "cap" r"^\d+ per .+$" cap;
    /// `once`, `every-requalification`, `every 90d`, `every month`, `every year`.
    ReentryRule(Reentry) "reentry" r"^(once|every-requalification|every .+)$" reentry;
    /// An IANA zone such as `Europe/Madrid`.
    Zone(String) "zone" r"^[A-Za-z0-9_+/-]+$" zone;
    /// `587`, or a reference to it.
    Port(String) "port" r"^(\d+|.*\$\{.+\}.*)$" port;
    /// `tue`; Monday is 0.
    Weekday(i8) "weekday" r"^(mon|tue|wed|thu|fri|sat|sun)$" weekday;
    /// `10%` or `0.25%`, in hundredths of a percent.
    Percent(u32) "percent" r"^\d{1,3}(\.\d{1,2})?%$" percent;
    /// `0 9 1 * *`: minute, hour, day of the month, month, day of the week.
    CronText(Schedule) "cron" r"^\s*(\S+\s+){4}\S+\s*$" schedule;
    /// `#7a1fa2`.
    Color(String) "color" r"^#[0-9a-fA-F]{6}$" color;
}

/// What an editor may take it for; a port is also written as a number.
fn types(form: &str) -> &'static [&'static str] {
    match form {
        "port" => &["string", "integer"],
        _ => &["string"],
    }
}

pub(crate) fn duration(text: &str) -> Result<Delay, String> {
    text.parse::<Delay>().map_err(|error| match error {
        BadDuration::TooLong(_) => error.to_string(),
        _ => format!("`{text}` is not a duration"),
    })
}

fn id(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let begins = text.bytes().next().is_some_and(fits);
    if begins
        && text.len() <= 100
        && text
            .bytes()
            .all(|byte| fits(byte) || b"-_.".contains(&byte))
    {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is not an id: use lower-case letters, digits and `-`, at most 100"
    ))
}

fn clock(text: &str) -> Result<Time, String> {
    let bad =
        || format!("`{text}` is not a time of day: write hours and minutes such as \"09:30\"");
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let part = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| digits)
    };
    let (hour, minute) = (part(hour).ok_or_else(bad)?, part(minute).ok_or_else(bad)?);
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}

fn hours(text: &str) -> Result<(Time, Time), String> {
    let bad = || format!("`{text}` is not a span of hours: write \"09:00-18:00\"");
    let (from, until) = text.split_once('-').ok_or_else(bad)?;
    // 24:00 is how people write the end of a day; the span is half open, so it is midnight.
    let until = if until.trim() == "24:00" {
        "00:00"
    } else {
        until.trim()
    };
    Ok((
        clock(from.trim()).map_err(|_| bad())?,
        clock(until).map_err(|_| bad())?,
    ))
}

fn days(text: &str) -> Result<Days, String> {
    match text {
        "business" => return Ok(Days::BUSINESS),
        "every" => return Ok(Days::EVERY),
        _ => {}
    }
    let bad = || {
        format!("`{text}` is not a range of days: write `mon-fri`, `sat`, `business` or `every`")
    };
    let (from, until) = text.split_once('-').unwrap_or((text, text));
    let number = |name: &str| WEEK.iter().position(|day| *day == name).ok_or_else(bad);
    let (from, until) = (number(from)?, number(until)?);
    let length = (until + 7 - from) % 7;
    Ok(Days {
        weekdays: (0..=length).fold(0, |bits, day| bits | 1 << ((from + day) % 7)),
        except_holidays: false,
    })
}

fn weekday(text: &str) -> Result<i8, String> {
    let found = WEEK.iter().position(|day| *day == text);
    let bad = || format!("`{text}` is not a day of the week: write `mon`, `tue`, … or `sun`");
    found.and_then(|day| i8::try_from(day).ok()).ok_or_else(bad)
}

pub(crate) fn day(text: &str) -> Result<Date, String> {
    parse_date(text)
        .ok_or_else(|| format!("`{text}` is not a date: write it such as 2026-01-31 or 31.01.2026"))
}

fn rate(text: &str) -> Result<(u32, u32), String> {
    let bad =
        || format!("`{text}` is not a rate: write `50 per second` (or `minute`, `hour`, `day`)");
    let (count, unit) = text.split_once(" per ").ok_or_else(bad)?;
    let seconds = match unit.trim() {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => return Err(bad()),
    };
    Ok((positive(count).ok_or_else(bad)?, seconds))
}

fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|count| *count > 0)
}

fn cap(text: &str) -> Result<(u32, Delay), String> {
    let bad = || format!("`{text}` is not a limit: write `4 per 7d`");
    let (count, per) = text.split_once(" per ").ok_or_else(bad)?;
    let per = duration(per)?;
    if per.is_zero() {
        return Err(bad());
    }
    Ok((positive(count).ok_or_else(bad)?, per))
}

fn reentry(text: &str) -> Result<Reentry, String> {
    match text {
        "once" => return Ok(Reentry::Once),
        "every-requalification" => return Ok(Reentry::EveryRequalification),
        _ => {}
    }
    let delay = match text.strip_prefix("every ") {
        Some("month") => Delay {
            months: 1,
            ..Delay::ZERO
        },
        Some("year") => Delay {
            months: 12,
            ..Delay::ZERO
        },
        Some(span) => duration(span)?,
        None => Delay::ZERO,
    };
    if delay.is_zero() {
        return Err(format!(
            "`{text}` is not a rule of reentry: `once`, `every-requalification`, `every 90d`, `every month` or `every year`"
        ));
    }
    Ok(Reentry::Every(delay))
}

fn zone(text: &str) -> Result<String, String> {
    TimeZone::get(text)
        .map(|_| text.to_owned())
        .map_err(|_| format!("there is no time zone `{text}`"))
}

fn port(text: &str) -> Result<String, String> {
    let number = text.parse::<u16>().is_ok_and(|port| port > 0);
    if number || text.contains("${") {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is not a port: write a number from 1 to 65535"
    ))
}

fn color(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix('#').unwrap_or_default();
    if hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not a colour: write \"#7a1fa2\""))
}

fn schedule(text: &str) -> Result<Schedule, String> {
    let bad = |_| {
        format!(
            "`{text}` is not a schedule: write minute, hour, day of the month, month and day of the week, such as `0 9 1 * *`"
        )
    };
    text.parse().map_err(bad)
}

pub(crate) fn percent(text: &str) -> Result<u32, String> {
    let bad = || format!("`{text}` is not a share: write `10%` or `0.25%`");
    let number = text.strip_suffix('%').ok_or_else(bad)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 || part.is_empty() {
        return Err(bad());
    }
    let hundredths: u32 = format!("{part:0<2}").parse().map_err(|_| bad())?;
    let whole: u32 = whole.parse().map_err(|_| bad())?;
    let share = whole.saturating_mul(100).saturating_add(hundredths);
    (share <= 10_000).then_some(share).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_reads_what_it_should_and_refuses_the_rest() {
        for (form, good, bad) in [
            ("duration", "1d 12h", "4 days"),
            ("id", "new-members", "New members"),
            ("time", "09:30", "9:30"),
            ("hours", "21:00-08:00", "21-8"),
            ("days", "fri-mon", "friday"),
            ("date", "2026-01-31", "2026-02-30"),
            ("rate", "50 per second", "50/s"),
            ("cap", "4 per 7d", "4 per week"),
            ("reentry", "every 90d", "twice"),
            ("zone", "Europe/Madrid", "Europe/Atlantis"),
            ("port", "587", "70000"),
            ("color", "#7a1fa2", "red"),
            ("weekday", "tue", "tuesday"),
            ("percent", "0.25%", "101%"),
        ] {
            assert_eq!(read(form, good), Ok(()), "{form} {good}");
            assert!(read(form, bad).is_err(), "{form} {bad}");
        }
    }

    #[test]
    fn a_range_of_days_may_run_over_the_weekend() {
        assert_eq!(days("fri-mon").unwrap().weekdays, 0b111_0001);
        assert_eq!(days("mon-fri").unwrap().weekdays, 0b001_1111);
        assert_eq!(days("sun").unwrap().weekdays, 0b100_0000);
    }
}
