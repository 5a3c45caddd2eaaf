//! Owns telling one place of somebody else's: signed as Standard Webhooks 1.0.0 says, one try at a time.

use std::error::Error as _;
use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};

use super::detail::clean;
use super::exchange::retry_after;
use super::guard::{Guard, stopped};
use crate::domain::network::Network;
use crate::domain::webhook::{BadSecret, key};

/// From the first look-up to the last byte of the answer.
const LIMIT: Duration = Duration::from_secs(15);
/// How much of an answer is read: what a failure says of itself.
const LONGEST_ANSWER: usize = 4 * 1024;
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
            .body(body)
            .send();
        match sent.await {
            Ok(response) => answer(response, now).await,
            Err(error) => failed(&words(error)),
        }
    }
}

/// Any 2xx is taken; a redirect is not followed, and is a failure as others are.
async fn answer(mut response: Response, now: Timestamp) -> Answer {
    let status = response.status();
    if status.is_success() {
        return Answer::Taken;
    }
    if status == reqwest::StatusCode::GONE {
        return Answer::Gone;
    }
    let asks = matches!(status.as_u16(), 429 | 503);
    let header = response.headers().get(RETRY_AFTER).filter(|_| asks);
    let asked = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, now))
        .and_then(|wait| SignedDuration::try_from(wait).ok());
    let said = start(&mut response).await;
    Answer::Failed {
        words: clean(format!("{status} {said}").trim()),
        retry_after: asked,
    }
}

async fn start(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_ANSWER {
            break;
        }
    }
    bytes.truncate(LONGEST_ANSWER);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn failed(words: &str) -> Answer {
    Answer::Failed {
        words: clean(words),
        retry_after: None,
    }
}

fn words(error: reqwest::Error) -> String {
    if let Some(forbidden) = stopped(&error) {
        return forbidden.to_string();
    }
    // The URL may hold a secret.
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
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
