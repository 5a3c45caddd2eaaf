//! Owns the lines of a JSON Lines file: read one at a time, each a flat object (<https://jsonlines.org>).

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read as _};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number_text::number_text;
use super::table_row::{BETWEEN_LISTED, MAX_ROW_BYTES};

const MAX_NAME_CHARS: usize = 255;

/// What was read of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// It goes on behind what was kept of it.
    TooLong,
    End,
}

/// Reads a line without its end, and of one that is too long no more than its beginning; with how many
/// bytes it took.
pub(super) fn read_line(text: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<(Line, u64)> {
    line.clear();
    let most = MAX_ROW_BYTES as u64 + 1;
    let taken = text.by_ref().take(most).read_until(b'\n', line)? as u64;
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok((Line::Whole, taken));
    }
    if line.len() > MAX_ROW_BYTES {
        let rest = text.skip_until(b'\n')? as u64;
        return Ok((Line::TooLong, taken + rest));
    }
    let what = if taken == 0 { Line::End } else { Line::Whole };
    Ok((what, taken))
}

/// The keys and values of a line's object, as they are written.
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

/// Reads an object; the error says what stands there in its place.
pub(super) fn object(line: &[u8]) -> Result<Object<'_>, String> {
    let text = std::str::from_utf8(line)
        .map_err(|_| "the line holds bytes that are not UTF-8 text".to_owned())?;
    let mut json = serde_json::Deserializer::from_str(text);
    let object = json.deserialize_map(Entries).and_then(|object| {
        json.end()?;
        Ok(object)
    });
    let object = object.map_err(|error| {
        let column = error.column();
        format!("the line is not a JSON object (see its character {column})")
    })?;
    let mut names: Vec<&str> = object.0.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    if let Some([twice, ..]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the key `{twice}` stands there twice"));
    }
    match names
        .iter()
        .find(|name| name.chars().count() > MAX_NAME_CHARS)
    {
        None => Ok(object),
        Some(_) => Err(format!("a key is longer than {MAX_NAME_CHARS} characters")),
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            entries.push((key.0, map.next_value()?));
        }
        Ok(Object(entries))
    }
}

/// A key that is not copied where it needs no unescaping.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value as a cell: `null` is an empty one, the values of a list stand apart. The error says why it
/// is none, in words that follow its key.
pub(super) fn cell(value: &RawValue) -> Result<Cow<'_, str>, String> {
    match value.get().as_bytes().first() {
        Some(b'[') => list(value).map(Cow::Owned),
        _ => scalar(value),
    }
}

fn list(value: &RawValue) -> Result<String, String> {
    let values: Vec<&RawValue> = parsed(value)?;
    let mut cell = String::new();
    for value in values {
        let value = scalar(value)?;
        if !value.is_empty() {
            if !cell.is_empty() {
                cell.push(BETWEEN_LISTED);
            }
            cell.push_str(&value);
        }
    }
    Ok(cell)
}

fn scalar(value: &RawValue) -> Result<Cow<'_, str>, String> {
    let written = value.get();
    match written.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> = parsed::<Key<'_>>(value)?.0;
            if text.contains(BETWEEN_LISTED) {
                return Err("holds the control character U+001F".to_owned());
            }
            Ok(text)
        }
        Some(b'n') => Ok(Cow::Borrowed("")),
        Some(b't' | b'f') => Ok(Cow::Borrowed(written)),
        Some(b'{') => Err("holds an object: expected a value, or a list of values".to_owned()),
        Some(b'[') => Err("holds a list in a list: expected values in a list".to_owned()),
        _ => Ok(number_text(written).map_or(Cow::Borrowed(written), Cow::Owned)),
    }
}

fn parsed<'a, T: serde::Deserialize<'a>>(value: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Vec<(String, Result<String, String>)> {
        let object = object(line.as_bytes()).unwrap();
        let one = |(name, value): (Cow<'_, str>, &RawValue)| {
            (name.into_owned(), cell(value).map(Cow::into_owned))
        };
        object.0.into_iter().map(one).collect()
    }

    #[test]
    fn each_value_is_a_cell_of_its_key() {
        let line = r#"{"a":"x\"y","b":12.0,"c":true,"d":null,"e":["p;q",2,null],"f":12345678901234567890}"#;
        let expected = [
            ("a", "x\"y"),
            ("b", "12"),
            ("c", "true"),
            ("d", ""),
            ("e", "p;q\u{1f}2"),
            ("f", "12345678901234567890"),
        ];
        let expected = expected.map(|(key, cell)| (key.to_owned(), Ok(cell.to_owned())));
        assert_eq!(cells(line), expected);
    }

    #[test]
    fn what_is_not_flat_says_so() {
        for (line, expected) in [
            (
                r#"{"a":{}}"#,
                "holds an object: expected a value, or a list of values",
            ),
            (
                r#"{"a":[[1]]}"#,
                "holds a list in a list: expected values in a list",
            ),
            (r#"{"a":"\u001f"}"#, "holds the control character U+001F"),
        ] {
            assert_eq!(cells(line)[0].1, Err(expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_object_is_refused() {
        for (line, expected) in [
            (
                &br#"{"a":1"#[..],
                "the line is not a JSON object (see its character 6)",
            ),
            (
                b"[1]",
                "the line is not a JSON object (see its character 0)",
            ),
            (
                br#"{"a":1} x"#,
                "the line is not a JSON object (see its character 9)",
            ),
            (br#"{"a":1,"a":2}"#, "the key `a` stands there twice"),
            (
                b"{\"a\":\"\xff\"}",
                "the line holds bytes that are not UTF-8 text",
            ),
        ] {
            assert_eq!(object(line).err().unwrap(), expected);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_not_held_and_the_next_one_is_read() {
        let long = "x".repeat(3 * MAX_ROW_BYTES);
        let text = format!("a\n{long}\n\nb");
        let mut text = text.as_bytes();
        let mut line = Vec::new();
        let mut lines = Vec::new();
        loop {
            let (what, _) = read_line(&mut text, &mut line).unwrap();
            assert!(line.capacity() <= 4 * MAX_ROW_BYTES);
            lines.push((what, line.len()));
            if what == Line::End {
                break;
            }
        }
        let expected = [
            (Line::Whole, 1),
            (Line::TooLong, MAX_ROW_BYTES + 1),
            (Line::Whole, 0),
            (Line::Whole, 1),
            (Line::End, 0),
        ];
        assert_eq!(lines, expected);
    }
}
