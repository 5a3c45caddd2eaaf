//! Owns the version of a customer: equal as long as nothing that people edit has changed.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;

use super::customer::Customer;

/// A hash of a customer's status, fields, tags, switches, consents and the count of changes of
/// consent. Lines of the history, totals and the rating do not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u128);

impl Version {
    pub fn of(customer: &Customer) -> Self {
        let edited = (
            customer.id.0,
            customer.status,
            customer.identified,
            customer.switches,
            customer.consents,
            customer.consent_rev,
            &customer.fields,
            &customer.tags,
        );
        // Never fails: maps have texts as keys.
        let text = serde_json::to_vec(&edited).unwrap_or_default();
        Self(xxh3_128(&text))
    }

    /// Reads what `Display` wrote: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_plain.then(|| u128::from_str_radix(text, 16).ok());
        number.flatten().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_back_and_nothing_else_does() {
        let version = Version(0xfeed);
        assert_eq!(Version::parse(&version.to_string()), Some(version));
        for text in ["", "feed", "+0000000000000000000000000000000", "*"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
