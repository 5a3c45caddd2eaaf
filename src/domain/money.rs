//! Owns amounts of money: minor units with a scale, exactly as they were written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MOST_DIGITS: usize = 15;
const LARGEST_SCALE: usize = 6;

/// An amount such as 12.50 EUR: 1250 minor units with the scale 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    /// How many of the digits stand behind the point.
    pub scale: u8,
    /// ISO 4217, such as `EUR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an amount such as `12.50`: up to 15 digits, and up to 6 of them behind a point")]
pub struct BadAmount;

impl FromStr for Money {
    type Err = BadAmount;

    /// Reads `-12.50`; the scale is that of the text.
    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_cut = digits.ends_with('.') || whole.is_empty();
        let fits = whole.len() + behind.len() <= MOST_DIGITS && behind.len() <= LARGEST_SCALE;
        if is_cut || !fits || !is_number(whole) || !is_number(behind) {
            return Err(BadAmount);
        }
        let minor: i64 = format!("{whole}{behind}").parse().map_err(|_| BadAmount)?;
        Ok(Self {
            minor: sign * minor,
            scale: u8::try_from(behind.len()).map_err(|_| BadAmount)?,
            currency: None,
        })
    }
}

impl Money {
    /// The sum of two amounts of one currency, with the finer scale of both; none where it is too large.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let minor = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Self {
            minor,
            scale,
            currency: self.currency.clone(),
        })
    }

    fn at(&self, scale: u8) -> Option<i64> {
        let finer = 10_i64.checked_pow(u32::from(scale - self.scale))?;
        self.minor.checked_mul(finer)
    }
}

/// The amount without its currency.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let (minor, scale) = (self.minor.unsigned_abs(), usize::from(self.scale));
        let digits = format!("{minor:0>width$}", width = scale + 1);
        let (whole, behind) = digits.split_at(digits.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        write!(f, "{sign}{whole}{point}{behind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_back_as_it_was_written() {
        for (text, minor, scale) in [
            ("12.50", 1250, 2),
            ("-0.05", -5, 2),
            ("7", 7, 0),
            ("0.000001", 1, 6),
            ("999999999999999", 999_999_999_999_999, 0),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.minor, money.scale), (minor, scale), "{text}");
            assert_eq!(money.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1,5",
            "1e3",
            "+1",
            "--1",
            "1.2.3",
            "0.1234567",
            "1000000000000000",
            "∞",
            "1 000",
        ] {
            assert_eq!(text.parse::<Money>(), Err(BadAmount), "{text}");
        }
    }

    #[test]
    fn a_sum_has_the_finer_scale() {
        let sum = |a: &str, b: &str| a.parse::<Money>().unwrap().plus(&b.parse().unwrap());
        assert_eq!(sum("1.5", "-0.25").unwrap().to_string(), "1.25");
        let most = Money {
            minor: i64::MAX,
            scale: 0,
            currency: None,
        };
        assert_eq!(most.plus(&"0.1".parse().unwrap()), None);
    }
}
