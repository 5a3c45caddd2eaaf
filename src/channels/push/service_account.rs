//! Owns the access token of a Google service account (RFC 7523; developers.google.com/identity/protocols/oauth2/service-account).

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::jwt::Signer;
use crate::channels::detail::clean;
use crate::channels::exchange::{Answer, ask};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::dispatch::{DeferCause, Outcome};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// Google's own clients always name it, wherever they ask.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google takes no assertion that is good for longer.
const ASSERTS_FOR: i64 = 3600;
/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_secs(225);

/// The key file as Google gives it; what else stands in it is passed over.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// An account that may send, with the token it has now.
pub(super) struct ServiceAccount {
    email: String,
    signer: Signer,
    key_id: Option<String>,
    token_uri: String,
    /// One for all requests; asked for by one of them.
    token: Mutex<Option<(String, Instant)>>,
}

impl ServiceAccount {
    /// # Errors
    /// Why the key file cannot be used; its text is not repeated.
    pub(super) fn read(file: &str) -> Result<Self, String> {
        let file: KeyFile = serde_json::from_str(file).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("is no key file of a service account: line {line}, column {column}")
        })?;
        let signer = Signer::rsa(&file.private_key);
        Ok(Self {
            email: file.client_email,
            signer: signer.map_err(|error| format!("`private_key` {error}"))?,
            key_id: file.private_key_id,
            token_uri: file.token_uri.unwrap_or_else(|| AUDIENCE.to_owned()),
            token: Mutex::default(),
        })
    }

    /// The token that is good now.
    ///
    /// # Errors
    /// What it means for the message that there is none: it was certainly not sent.
    pub(super) async fn token(&self, client: &Client) -> Result<String, Outcome> {
        let mut known = self.token.lock().await;
        if let Some((token, until)) = &*known
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let granted = self.ask(client).await?;
        let good_for = Duration::from_secs(granted.expires_in).saturating_sub(EARLY);
        let token = granted.access_token;
        *known = Some((token.clone(), Instant::now() + good_for));
        Ok(token)
    }

    /// Forgets a token that was refused, if it is still the one.
    pub(super) async fn forget(&self, refused: &str) {
        let mut known = self.token.lock().await;
        if known.as_ref().is_some_and(|(token, _)| token == refused) {
            *known = None;
        }
    }

    async fn ask(&self, client: &Client) -> Result<Granted, Outcome> {
        let assertion = self.assertion();
        let assertion = assertion.ok_or_else(|| away("the system gives no random bytes"))?;
        let form = [("grant_type", GRANT), ("assertion", &assertion)];
        let answer = ask(client.post(&self.token_uri).form(&form)).await;
        granted(&answer.map_err(|silence| away(silence.words()))?)
    }

    fn assertion(&self) -> Option<String> {
        let now = SystemClock.machine().as_second();
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + ASSERTS_FOR,
        });
        self.signer.token(self.key_id.as_deref(), &claims)
    }
}

fn granted(answer: &Answer) -> Result<Granted, Outcome> {
    let read = serde_json::from_str(answer.text()).ok();
    match (answer.status, read) {
        (200, Some(granted)) => Ok(granted),
        // What it says may be the token itself.
        (200, None) => Err(away("the answer holds no token")),
        (429 | 503, _) => Err(answer.deferred(DeferCause::Throttled)),
        _ => Err(away(&answer.detail())),
    }
}

fn away(why: &str) -> Outcome {
    Outcome::Deferred {
        detail: clean(&format!("no access token: {why}")),
        retry_after: None,
        cause: DeferCause::Gateway,
    }
}
