//! Owns telling one place of somebody else's: signed as Standard Webhooks 1.0.0 says, one try at a time.

use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};

use super::detail::clean;
use super::exchange::{self, ask};
use super::guard::Guard;
use crate::domain::network::Network;
use crate::domain::webhook::{BadSecret, key};

/// From the first look-up to the last byte of the answer.
const LIMIT: Duration = Duration::from_secs(15);
/// The key of a place's signatures.
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// `whsec_` and base64 of the key, or the key itself as text.
    pub fn read(secret: &SecretString) -> Result<Self, BadSecret> {
        let key = key(secret.expose_secret())?;
        Ok(Self(hmac::Key::new(HMAC_SHA256, &key)))
    }

    /// The signature of one version of the scheme: `v1,` and base64 of the MAC.
    fn sign(&self, id: &str, second: i64, body: &str) -> String {
        let signed = format!("{id}.{second}.{body}");
        let mac = hmac::sign(&self.0, signed.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.as_ref()))
    }
}

/// One place, and how it is reached.
pub struct Place {
    url: String,
    /// The present one first.
    keys: Vec<SigningKey>,
    guard: Guard,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Taken,
    /// 410: it is to be told nothing more.
    Gone,
    /// Worth another try.
    Failed {
        words: String,
        retry_after: Option<SignedDuration>,
    },
}

impl Place {
    pub fn open(url: String, keys: Vec<SigningKey>, allowed: &[Network]) -> reqwest::Result<Self> {
        Ok(Self {
            url,
            keys,
            guard: Guard::new(allowed, LIMIT)?,
        })
    }

    /// Tells it once. The same `id` is the same fact, however often it is told; `now` is the time of
    /// this try, by the machine's clock.
    pub async fn tell(&self, id: &str, body: String, now: Timestamp) -> Answer {
        let second = now.as_second();
        let signatures = self.keys.iter().map(|key| key.sign(id, second, &body));
        let signatures: Vec<String> = signatures.collect();
        let request = match self.guard.request(Method::POST, &self.url) {
            Ok(request) => request,
            Err(forbidden) => return failed(&forbidden.to_string()),
        };
        let sent = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signatures.join(" "))
            .body(body);
        match ask(sent).await {
            Ok(answer) => read(&answer),
            Err(silence) => failed(silence.words()),
        }
    }
}

/// Any 2xx is taken; a redirect is not followed, and is a failure as others are.
fn read(answer: &exchange::Answer) -> Answer {
    match answer.status {
        200..300 => Answer::Taken,
        410 => Answer::Gone,
        status => Answer::Failed {
            words: answer.detail(),
            retry_after: matches!(status, 429 | 503)
                .then(|| answer.retry_after())
                .flatten()
                .and_then(|wait| SignedDuration::try_from(wait).ok()),
        },
    }
}

fn failed(words: &str) -> Answer {
    Answer::Failed {
        words: clean(words),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = SigningKey::read(&secret).unwrap();
        let body = "{\"test\": 2432232314}";
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
