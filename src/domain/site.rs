//! Owns the company's own pages as they may tell of their visitors: from where, how often, and with what
//! proof of who somebody is.
//!
//! A proof is `v1.CUSTOMER.EXPIRY.MAC`: the unique id in base64url (RFC 4648 §5, without padding), the second
//! of 1970 UTC from which on it is refused, and the HMAC-SHA256 (RFC 2104) over everything before the last
//! point, in base64url. The company's server makes it with a key that no browser sees.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

const VERSION: &str = "v1";
/// A proof is made for one page, and not to be kept.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The characters of a visitor's id after its prefix: 128 bits of chance.
const VISITOR_DIGITS: usize = 32;
const VISITOR_PREFIX: &str = "v-";

/// The key of proofs.
pub struct SiteKey(hmac::Key);

/// Why a proof is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    #[error("it is no `v1.CUSTOMER.EXPIRY.MAC`")]
    Form,
    #[error("it was made with another key, or altered")]
    Mac,
    #[error("its time is over")]
    Expired,
    #[error("it is good for more than 24 hours: make one for each page")]
    TooLong,
}

impl SiteKey {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, secret))
    }

    /// A proof that its bearer is this customer, until then.
    pub fn prove(&self, customer: &str, until: Timestamp) -> String {
        let customer = URL_SAFE_NO_PAD.encode(customer);
        let text = format!("{VERSION}.{customer}.{}", until.as_second());
        let mac = hmac::sign(&self.0, text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))
    }

    /// The customer of a proof.
    pub fn customer(&self, proof: &str, now: Timestamp) -> Result<String, BadProof> {
        let (text, mac) = proof.rsplit_once('.').ok_or(BadProof::Form)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| BadProof::Form)?;
        hmac::verify(&self.0, text.as_bytes(), &mac).map_err(|_| BadProof::Mac)?;
        let parts: Vec<&str> = text.split('.').collect();
        let [VERSION, customer, expiry] = parts.as_slice() else {
            return Err(BadProof::Form);
        };
        let expiry = expiry.parse().ok();
        let expiry = expiry.and_then(|second| Timestamp::from_second(second).ok());
        let expiry = expiry.ok_or(BadProof::Form)?;
        if expiry <= now {
            return Err(BadProof::Expired);
        }
        if expiry > now + LONGEST_LIFE {
            return Err(BadProof::TooLong);
        }
        let customer = URL_SAFE_NO_PAD.decode(customer).ok();
        let customer = customer.and_then(|bytes| String::from_utf8(bytes).ok());
        customer.ok_or(BadProof::Form)
    }
}

/// Whether a browser may call a visitor so: nothing but chance, so that no other id can be named.
pub fn is_visitor(id: &str) -> bool {
    let digits = id.strip_prefix(VISITOR_PREFIX).unwrap_or_default();
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    digits.len() == VISITOR_DIGITS && digits.bytes().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_proof_names_its_customer_until_its_time_is_over() {
        let key = SiteKey::new(b"0123456789abcdef0123456789abcdef");
        // Made by Python: see docs/website.md.
        let proof = "v1.YW5hL8Ox.1000.B0zgCOl8EeywxevB-Iw2zHxVeiKT8qgdrSTcAGc0-3k";
        let ours = key.prove("ana/ñ", at(1000));
        assert_eq!(ours, proof);
        assert_eq!(key.customer(&ours, at(999)).as_deref(), Ok("ana/ñ"));
        assert_eq!(key.customer(&ours, at(1000)), Err(BadProof::Expired));
        assert_eq!(
            key.customer(&ours, at(1000 - 86_401)),
            Err(BadProof::TooLong)
        );
        assert_eq!(
            SiteKey::new(b"other").customer(&ours, at(999)),
            Err(BadProof::Mac)
        );
        assert_eq!(
            key.customer(&ours.replace("1000", "1001"), at(999)),
            Err(BadProof::Mac)
        );
        for text in ["", "v1", "v1.a.b", "v1.YQ.1000.!"] {
            assert!(key.customer(text, at(999)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_visitor_is_nothing_but_chance() {
        assert!(is_visitor("v-0123456789abcdef0123456789abcdef"));
        for id in [
            "",
            "v-",
            "ana",
            "v-0123",
            "v-0123456789ABCDEF0123456789abcdef",
        ] {
            assert!(!is_visitor(id), "{id}");
        }
    }
}
