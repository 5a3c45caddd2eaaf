//! Owns typed values: what a customer's field can hold, how it is read from text, and how text is folded for comparing.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::field::FieldType;

/// One value of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Also e-mail addresses, phone numbers, URLs and choices.
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(Date),
    Instant(Timestamp),
}

/// Why a text is not a value of a type; shown to people with the text they wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct BadValue {
    pub text: String,
    pub expected: &'static str,
}

impl Value {
    /// Reads a written value. Dates are ISO or `DD.MM.YYYY`; an instant without an offset is in `zone`.
    pub fn parse(kind: FieldType, text: &str, zone: &TimeZone) -> Result<Self, BadValue> {
        let text = text.trim();
        let bad = |expected| BadValue {
            text: text.to_owned(),
            expected,
        };
        match kind {
            FieldType::Text | FieldType::Choice => Ok(Self::Text(text.to_owned())),
            FieldType::Email => parse_email(text).ok_or_else(|| bad("an e-mail address")),
            FieldType::Phone => parse_phone(text)
                .ok_or_else(|| bad("a phone number: digits, with `+` and the country code first")),
            FieldType::Url => {
                parse_url(text).ok_or_else(|| bad("a URL that begins with https:// or http://"))
            }
            FieldType::Integer => text
                .parse()
                .map(Self::Integer)
                .map_err(|_| bad("a whole number")),
            FieldType::Number => parse_number(text).ok_or_else(|| bad("a number such as 12.50")),
            FieldType::Boolean => parse_boolean(text).ok_or_else(|| bad("true or false")),
            FieldType::Date => parse_date(text)
                .map(Self::Date)
                .ok_or_else(|| bad("a date such as 2026-01-31")),
            FieldType::Datetime => parse_instant(text, zone)
                .map(Self::Instant)
                .ok_or_else(|| bad("a date and time such as 2026-01-31T09:30")),
        }
    }

    /// The text that `matches`, `starts-with` and their like compare with: case and accents folded.
    pub fn folded(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(fold(text)),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Instant(instant) => instant.fmt(f),
        }
    }
}

/// Folds case and accents, so that `José` and `JOSE` compare equal.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

fn parse_email(text: &str) -> Option<Value> {
    let options = email_address::Options::default()
        .without_display_text()
        .without_domain_literal();
    email_address::EmailAddress::parse_with_options(text, options.with_required_tld())
        .ok()
        .map(|address| Value::Text(address.as_str().to_owned()))
}

fn parse_phone(text: &str) -> Option<Value> {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'))
        .collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(Value::Text(plain))
}

fn parse_url(text: &str) -> Option<Value> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let fits = !rest.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    fits.then(|| Value::Text(text.to_owned()))
}

fn parse_number(text: &str) -> Option<Value> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
        .map(Value::Number)
}

fn parse_boolean(text: &str) -> Option<Value> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(Value::Boolean(true)),
        "false" | "no" | "0" => Some(Value::Boolean(false)),
        _ => None,
    }
}

/// Reads `2026-01-31` or `31.01.2026`.
pub fn parse_date(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse::<Date>() {
        return (text.len() == 10).then_some(date);
    }
    let mut parts = text.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let well_formed = parts.next().is_none() && year.len() == 4;
    well_formed
        .then(|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())
        .flatten()
}

fn parse_instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_and_accents() {
        assert_eq!(fold("José ÁLVAREZ"), "jose alvarez");
        assert_eq!(fold("ŁÓDŹ"), fold("łódź"));
    }

    #[test]
    fn typed_values_refuse_what_they_are_not() {
        let utc = TimeZone::UTC;
        for (kind, text) in [
            (FieldType::Email, "ana@"),
            (FieldType::Email, "Ana <ana@example.com>"),
            (FieldType::Phone, "call me"),
            (FieldType::Integer, "1.5"),
            (FieldType::Number, "NaN"),
            (FieldType::Boolean, "perhaps"),
            (FieldType::Date, "2026-02-30"),
            (FieldType::Datetime, "noon"),
            (FieldType::Url, "javascript:alert(1)"),
        ] {
            assert!(Value::parse(kind, text, &utc).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_read_in_both_spellings() {
        let utc = TimeZone::UTC;
        let iso = Value::parse(FieldType::Date, "2026-01-31", &utc).unwrap();
        assert_eq!(
            Value::parse(FieldType::Date, "31.01.2026", &utc).unwrap(),
            iso
        );
    }
}
