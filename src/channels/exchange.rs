//! Owns one request over HTTP and its answer: the client, how many at once, the mark before the hand-over, the
//! limits of time and length.

use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, retry};
use tokio::sync::Semaphore;

use super::HandOver;
use super::detail::{clean, shorten};
use crate::clock::{Clock, SystemClock};
use crate::domain::dispatch::{DeferCause, Outcome};

/// Below the 5 s after which common servers close an unused connection: a request that meets that
/// moment would be `Uncertain`.
const IDLE: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(30);
/// How much of a reply is read.
const LONGEST_REPLY: usize = 64 * 1024;
/// How much of a reply is shown to people.
const SHOWN: usize = 300;

/// One provider, so many requests at once.
pub(super) struct Exchange {
    client: Client,
    places: Semaphore,
}

/// What the gateway said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The start of the reply; none when the connection broke after the status.
    pub(super) body: Option<String>,
}

impl Exchange {
    /// Redirects would carry customers' data to a place nobody configured; retries are the engine's.
    pub(super) fn new(limit: Duration, connections: usize) -> reqwest::Result<Self> {
        let client = Client::builder()
            .redirect(Policy::none())
            .retry(retry::never())
            .no_proxy()
            .timeout(limit)
            // Shorter than the whole, so that a host that cannot be reached is told from one that is silent.
            .connect_timeout(CONNECT.min(limit / 2))
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("drumbeat/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            places: Semaphore::new(connections),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// # Errors
    /// What the message's try comes to without an answer.
    pub(super) async fn run(
        &self,
        request: Request,
        hand_over: &dyn HandOver,
    ) -> Result<Answer, Outcome> {
        // Never closed; should it be, the request goes without a place.
        let _place = self.places.acquire().await.ok();
        // From here on the client owns the bytes: no later moment is known to be before the last one.
        hand_over.mark()?;
        match self.client.execute(request).await {
            Ok(response) => Ok(Answer::read(response).await),
            Err(error) => Err(failed(error)),
        }
    }
}

impl Answer {
    async fn read(mut response: Response) -> Self {
        let header = response.headers().get(RETRY_AFTER);
        let wait = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, SystemClock.machine()));
        Self {
            status: response.status().as_u16(),
            retry_after: wait,
            body: start(&mut response).await,
        }
    }

    /// The status and the start of the reply, for people.
    pub(super) fn detail(&self) -> String {
        let body = self.body.as_deref().map_or_else(
            || "the connection broke in the reply".to_owned(),
            |body| shorten(&clean(body), SHOWN),
        );
        clean(&format!("HTTP {}: {body}", self.status))
    }
}

/// The start of the reply, or none when it broke off.
async fn start(response: &mut Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_REPLY {
            break;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// No answer: unless there was not even a connection, the request may have been taken.
fn failed(error: reqwest::Error) -> Outcome {
    let before = error.is_connect();
    // The URL may hold a secret.
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    let detail = clean(&words);
    if before {
        Outcome::Deferred {
            detail,
            retry_after: None,
            cause: DeferCause::Gateway,
        }
    } else {
        Outcome::Uncertain { detail }
    }
}

/// `Retry-After` in either form (RFC 9110 §10.2.3): seconds, or a date.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_wish_to_wait_is_read_in_both_forms() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        let read = |value| retry_after(value, now);
        assert_eq!(read(" 120 "), Some(Duration::from_mins(2)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-5"), None);
    }
}
