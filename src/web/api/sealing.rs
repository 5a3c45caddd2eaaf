//! Owns how answers lie in the store: under a key that only the caller has.
//!
//! The key comes of the token's secret, of which the store has a hash, and of the request's own key. So what
//! was answered about a customer who is deleted meanwhile can be read by nobody but whoever asked, and
//! nothing about them is left to look for.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::token::Secret;

/// What seals one request and its answer.
pub(super) struct Sealing(Key);

/// What was answered beside its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answered {
    /// Names and values.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Sealing {
    pub(super) fn new(secret: &Secret, request_key: &str) -> Self {
        let of_token = Key::new(HMAC_SHA256, secret.reveal().as_bytes());
        let of_request = sign(&of_token, request_key.as_bytes());
        Self(Key::new(HMAC_SHA256, of_request.as_ref()))
    }

    /// Under which the answer is found again.
    pub(super) fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(sign(&self.0, b"name"))
    }

    /// What tells one request from another; each part has its length before it.
    pub(super) fn request(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = Context::with_key(&self.0);
        context.update(b"request");
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }

    /// The nonce, then the sealed answer (NIST SP 800-38D).
    pub(super) fn seal(&self, answered: &Answered) -> Result<Vec<u8>, Unspecified> {
        let mut text = serde_json::to_vec(answered).map_err(|_| Unspecified)?;
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::empty(), &mut text)?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    pub(super) fn open(&self, sealed: &[u8]) -> Result<Answered, Unspecified> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut text = text.to_vec();
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::empty(), &mut text)?;
        serde_json::from_slice(opened).map_err(|_| Unspecified)
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, sign(&self.0, b"answer").as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::CHANCE;

    fn sealing(byte: u8, request_key: &str) -> Sealing {
        Sealing::new(&Secret::new([byte; CHANCE]), request_key)
    }

    #[test]
    fn an_answer_is_opened_by_the_same_token_and_key_alone() {
        let answered = Answered {
            headers: vec![("location".to_owned(), "/x".to_owned())],
            body: b"{\"customer\": \"ana\"}".to_vec(),
        };
        let sealed = sealing(1, "k").seal(&answered).unwrap();
        assert_eq!(sealing(1, "k").open(&sealed).unwrap(), answered);
        for other in [sealing(2, "k"), sealing(1, "l")] {
            assert!(other.open(&sealed).is_err());
            assert_ne!(other.name(), sealing(1, "k").name());
        }
        assert!(!sealed.windows(3).any(|part| part == b"ana"));
    }

    #[test]
    fn parts_of_a_request_do_not_run_into_each_other() {
        let one = sealing(1, "k");
        assert_ne!(one.request(&[b"ab", b"c"]), one.request(&[b"a", b"bc"]));
        assert_eq!(one.request(&[b"ab", b"c"]), one.request(&[b"ab", b"c"]));
    }
}
