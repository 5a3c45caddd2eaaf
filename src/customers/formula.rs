//! Owns keeping spreadsheet programs from taking a text for a formula, and reading such texts back.
//!
//! A CSV file does not say what a cell is, so a program that opens it evaluates whatever begins like a
//! formula (OWASP, "CSV injection"). An apostrophe before it makes it text. Plain numbers, and with
//! them phone numbers such as `+41791234567`, evaluate to themselves and stay as they are.

use std::borrow::Cow;

/// The signs that OWASP names, and their full-width forms.
const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
const GUARD: char = '\'';

/// The text with an apostrophe before it where it would be evaluated.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if begins_like_a_formula(text.trim_start_matches(GUARD)) && !is_number(text) {
        Cow::Owned(format!("{GUARD}{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What [`guarded`] was given.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix(GUARD) {
        Some(rest) if begins_like_a_formula(rest.trim_start_matches(GUARD)) => rest,
        _ => text,
    }
}

fn begins_like_a_formula(text: &str) -> bool {
    text.starts_with(SIGNS)
}

/// Digits, perhaps with a sign before them and one point among them.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    are_digits(whole) && are_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_gets_an_apostrophe() {
        for text in [
            "=1+1", "+1+1", "-1+1|x", "@SUM(A1)", "\t=1", "\r=1", "＝1", "-", "+4x",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
    }

    #[test]
    fn numbers_phone_numbers_and_plain_texts_stay_as_they_are() {
        for text in [
            "",
            "-5",
            "+41791234567",
            "-12.50",
            "a=1",
            "'tis",
            "ana@example.com",
        ] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_guarded_text_reads_back_and_is_no_formula(text in "['=+@1-]{0,5}[a=.0-9]{0,3}") {
            let written = guarded(&text);
            proptest::prop_assert_eq!(unguarded(&written), &text);
            proptest::prop_assert!(is_number(&written) || !begins_like_a_formula(&written));
        }
    }
}
