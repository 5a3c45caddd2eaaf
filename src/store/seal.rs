//! Owns the keyed hash under which identifiers of deleted customers are kept: HMAC-SHA-256 (RFC 2104,
//! FIPS 180-4), so that nobody without the key can try out addresses.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::identifier::Identifier;
use crate::domain::ids::Bucket;

/// The hash of one identifier.
pub(super) type Digest = [u8; 32];

/// The secret of one store, ready to hash with.
#[derive(Debug, Clone)]
pub struct Seal(hmac::Key);

impl Seal {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The hash of an identifier; none where there is nothing to recognize anybody by.
    pub(super) fn digest(&self, identifier: Identifier, text: &str) -> Option<Digest> {
        let plain = identifier.plain(text)?;
        hmac::sign(&self.0, plain.as_bytes())
            .as_ref()
            .try_into()
            .ok()
    }
}

/// As it is stored.
pub(super) fn written(digest: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest)
}

/// Where a hash lies: not with the customer, whose bucket would say something of the unique id.
pub(super) fn bucket(written: &str) -> Bucket {
    Bucket::of(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_the_key_and_not_on_the_spelling() {
        let digest = |secret: &[u8], text| Seal::new(secret).digest(Identifier::Email, text);
        assert_eq!(
            digest(b"one", "Ana@Example.com"),
            digest(b"one", "ana@example.com ")
        );
        assert_ne!(
            digest(b"one", "ana@example.com"),
            digest(b"two", "ana@example.com")
        );
        assert_eq!(digest(b"one", "  "), None);
    }

    #[test]
    fn it_is_the_hash_that_rfc_4231_has() {
        // Case 2: the key `Jefe`, without the form that identifiers get.
        let tag = hmac::sign(&Seal::new(b"Jefe").0, b"what do ya want for nothing?");
        let digest: Digest = tag.as_ref().try_into().unwrap();
        assert_eq!(
            written(&digest),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM"
        );
    }
}
