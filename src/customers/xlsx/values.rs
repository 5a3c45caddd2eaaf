//! Owns what the cells of a workbook mean: dates behind numbers, escaped characters, places.

use jiff::ToSpan;
use jiff::civil::{DateTime, Time, date};

/// The last column of a sheet is `XFD`.
const MOST_COLUMNS: usize = 16_384;
const DAY_MILLISECONDS: f64 = 86_400_000.0;
/// The day after the last one that a workbook knows: 10000-01-01.
const LAST_SERIAL: f64 = 2_958_466.0;

/// What a number in a cell shows itself as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Number,
    Date,
    Time,
    DateAndTime,
}

impl Look {
    /// Of the formats that every workbook knows (ECMA-376 Part 1, 18.8.30).
    pub(super) fn built_in(number: u32) -> Self {
        match number {
            14..=17 | 27..=31 | 34..=36 | 50..=58 => Self::Date,
            18..=21 | 32..=33 | 45..=47 => Self::Time,
            22 => Self::DateAndTime,
            _ => Self::Number,
        }
    }

    /// Of a format's code (18.8.31): days, months, years, hours, minutes, seconds are letters outside
    /// of quotation marks, brackets and escapes.
    pub(super) fn of_code(code: &str) -> Self {
        let first = code.split(';').next().unwrap_or_default();
        let letters = bare_letters(first);
        let has = |any: &str| letters.chars().any(|letter| any.contains(letter));
        let has_date = has("yd") || has("m") && !has("hs");
        match (has_date, has("hs")) {
            (true, true) => Self::DateAndTime,
            (true, false) => Self::Date,
            (false, true) => Self::Time,
            (false, false) => Self::Number,
        }
    }

    /// A number as this look shows it, in ISO 8601; nothing for a day that there is not.
    pub(super) fn text(self, number: f64, is_1904: bool) -> Option<String> {
        if !(0.0..LAST_SERIAL).contains(&number) {
            return None;
        }
        if self == Self::Time && number < 1.0 {
            return Some(moment(number, is_1904)?.time().to_string());
        }
        match self {
            Self::Number => None,
            Self::Date => Some(moment(number.floor(), is_1904)?.date().to_string()),
            Self::Time | Self::DateAndTime => Some(moment(number, is_1904)?.to_string()),
        }
    }
}

/// A format's letters, small; elapsed time (`[h]`) counts as time.
fn bare_letters(code: &str) -> String {
    let mut letters = String::new();
    let mut signs = code.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => drop(signs.by_ref().find(|sign| *sign == '"')),
            '\\' | '_' | '*' => drop(signs.next()),
            '[' => {
                let inside: String = signs.by_ref().take_while(|sign| *sign != ']').collect();
                if ["h", "hh", "m", "mm", "s", "ss"].contains(&&*inside.to_lowercase()) {
                    letters.push('h');
                }
            }
            _ => letters.extend(sign.to_lowercase()),
        }
    }
    // `General` and `E+` are no dates; `AM/PM` is time.
    letters.replace("general", "").replace("am/pm", "h")
}

/// Days since the workbook's first one. By the older reckoning 1900 had a 29 February.
fn moment(number: f64, is_1904: bool) -> Option<DateTime> {
    let (days, fraction) = (number.floor(), number.fract());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are fewer than three million days"
    )]
    let days = days as i32;
    let first = match (is_1904, days) {
        (true, _) => date(1904, 1, 1),
        (false, 60) => return None,
        (false, 0..60) => date(1899, 12, 31),
        (false, _) => date(1899, 12, 30),
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a day has fewer milliseconds"
    )]
    let milliseconds = (fraction * DAY_MILLISECONDS).round() as i64;
    let day = first.checked_add(days.days()).ok()?;
    let midnight = day.to_datetime(Time::midnight());
    midnight.checked_add(milliseconds.milliseconds()).ok()
}

/// The column of a cell's place such as `AB12`, counted from 0; nothing when it is none.
pub(super) fn column(place: &str) -> Option<usize> {
    let mut column: usize = 0;
    for letter in place.bytes().take_while(u8::is_ascii_alphabetic) {
        let letter = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column * 26 + letter;
        if column > MOST_COLUMNS {
            return None;
        }
    }
    column.checked_sub(1)
}

/// The text without the escapes of characters that XML cannot hold: `_x000D_` is a carriage return
/// (ECMA-376 Part 1, 22.9.2.19). Halves of a pair (UTF-16) belong together.
pub(super) fn unescaped(text: &str) -> String {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        if let Some(unit) = escape(rest) {
            units.push(unit);
            rest = &rest[7..];
        } else {
            units.extend_from_slice(sign.encode_utf16(&mut [0; 2]));
            rest = &rest[sign.len_utf8()..];
        }
    }
    String::from_utf16_lossy(&units)
}

fn escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("_x")?.get(..5)?.strip_suffix('_')?;
    let are_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    are_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_out_of_numbers_as_spreadsheets_count_them() {
        for (look, number, is_1904, expected) in [
            (Look::Date, 1.0, false, "1900-01-01"),
            (Look::Date, 59.0, false, "1900-02-28"),
            (Look::Date, 61.0, false, "1900-03-01"),
            (Look::Date, 46053.0, false, "2026-01-31"),
            (Look::Date, 46053.75, false, "2026-01-31"),
            (Look::Date, 44591.0, true, "2026-01-31"),
            (Look::Date, 2_958_465.0, false, "9999-12-31"),
            (
                Look::DateAndTime,
                46_053.395_833_333_336,
                false,
                "2026-01-31T09:30:00",
            ),
            (Look::DateAndTime, 46053.0, false, "2026-01-31T00:00:00"),
            (
                Look::DateAndTime,
                46_053.999_999_999_9,
                false,
                "2026-02-01T00:00:00",
            ),
            (Look::Time, 0.5, false, "12:00:00"),
        ] {
            assert_eq!(look.text(number, is_1904).as_deref(), Some(expected));
        }
        for none in [60.0, -1.0, 2_958_466.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Look::Date.text(none, false), None, "{none}");
        }
    }

    #[test]
    fn a_format_shows_a_date_by_its_letters() {
        for (code, expected) in [
            ("General", Look::Number),
            ("0.00E+00", Look::Number),
            ("#,##0 \"days\"", Look::Number),
            ("[Red]0", Look::Number),
            ("[$-407]dd.mm.yyyy", Look::Date),
            ("mmmm", Look::Date),
            ("yyyy\\-mm\\-dd hh:mm", Look::DateAndTime),
            ("[h]:mm:ss", Look::Time),
            ("h:mm AM/PM", Look::Time),
            ("0;dd", Look::Number),
        ] {
            assert_eq!(Look::of_code(code), expected, "{code}");
        }
    }

    #[test]
    fn columns_are_counted_and_none_is_beyond_the_last() {
        assert_eq!(column("A1"), Some(0));
        assert_eq!(column("ab12"), Some(27));
        assert_eq!(column("XFD1"), Some(16_383));
        for bad in ["XFE1", "ZZZZZZZZZZZZZZZZ1", "12", ""] {
            assert_eq!(column(bad), None, "{bad}");
        }
    }

    #[test]
    fn escaped_characters_are_read_and_others_stay() {
        for (text, expected) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDE00_", "😀"),
            ("_x00é_ _xZZZZ_ _x1_", "_x00é_ _xZZZZ_ _x1_"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }
}
