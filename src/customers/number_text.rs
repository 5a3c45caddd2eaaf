//! Owns how a number of a file is written as text: a whole one without a fraction.

/// From here on not every whole number has a floating one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The number as people write it; nothing when it is none. What is written as a whole number keeps
/// all of its digits.
pub(super) fn number_text(written: &str) -> Option<String> {
    let digits = written.strip_prefix('-').unwrap_or(written);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole {
        return Some(written.to_owned());
    }
    let number: f64 = written
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    if number.abs() > EXACT {
        return Some(written.to_owned());
    }
    Some(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction_and_lose_no_digit() {
        for (written, expected) in [
            ("12", "12"),
            ("12.0", "12"),
            ("1.5E1", "15"),
            ("0.1", "0.1"),
            ("-3.50", "-3.5"),
            ("12345678901234567890", "12345678901234567890"),
            ("007", "007"),
            ("1e300", "1e300"),
        ] {
            assert_eq!(number_text(written).as_deref(), Some(expected));
        }
        for bad in ["", "x", "NaN", "1e999", "--1"] {
            assert_eq!(number_text(bad), None, "{bad}");
        }
    }
}
