//! Owns what a channel says about text messages, whatever gateway is behind it.

use serde::{Deserialize, Serialize};

/// Read for the channel `sms` alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsRules {
    /// The most parts of one message; a longer one is withheld.
    pub max_parts: u32,
    /// Whether look-alikes replace what GSM-7 does not have.
    pub transliterate: bool,
    /// ISO 3166-1: where numbers without a country code are, unless the customer's `country` says it.
    pub country: Option<String>,
}

impl SmsRules {
    /// Ten parts are 1530 characters of GSM-7, or 670 of UCS-2.
    pub const MAX_PARTS: u32 = 10;

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for SmsRules {
    fn default() -> Self {
        Self {
            max_parts: Self::MAX_PARTS,
            transliterate: false,
            country: None,
        }
    }
}
