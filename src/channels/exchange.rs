//! Owns one request over HTTP and its answer: the client, how many at once, the mark before the hand-over, the
//! limits of length, and what it means that there is no answer.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, retry};
use tokio::sync::Semaphore;

use super::HandOver;
use super::detail::{clean, shorten};
use crate::clock::{Clock, SystemClock};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::network::Forbidden;

/// Below the 5 s after which common servers close an unused connection: a request that meets that
/// moment would be `Uncertain`.
const IDLE: Duration = Duration::from_secs(4);
/// How long a request may take in all, unless the configuration says: beyond the 15 s that providers' own
/// libraries wait to connect and be answered.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(30);
/// How much of an answer is read.
const LONGEST: usize = 64 * 1024;
/// How much of an answer is shown to people.
const SHOWN: usize = 300;

/// One provider, so many requests at once.
pub(super) struct Exchange {
    client: Client,
    places: Semaphore,
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The start of it; none when the connection broke after the status.
    pub(super) body: Option<String>,
}

/// That nothing was answered, and why, for people.
#[derive(Debug)]
pub(super) enum Silence {
    /// There is no such request, or its address is none that may be asked.
    Impossible(String),
    /// The request was certainly not taken.
    Untaken(String),
    /// It may have been.
    Unknown(String),
}

/// Redirects would carry customers' data to a place nobody configured; retries are the engine's.
pub(super) fn client(limit: Duration, connections: usize) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .retry(retry::never())
        .no_proxy()
        .timeout(limit)
        // Shorter than the whole, so that a host that cannot be reached is told from one that is silent.
        .connect_timeout(CONNECT.min(limit / 2))
        .pool_max_idle_per_host(connections)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("drumbeat/", env!("CARGO_PKG_VERSION")))
}

/// Asks once.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Silence> {
    match request.send().await {
        Ok(response) => Ok(Answer::read(response).await),
        Err(error) => Err(Silence::of(error)),
    }
}

impl Exchange {
    pub(super) fn new(client: ClientBuilder, connections: usize) -> reqwest::Result<Self> {
        Ok(Self {
            client: client.build()?,
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
        request: RequestBuilder,
        hand_over: &dyn HandOver,
    ) -> Result<Answer, Outcome> {
        // Never closed; should it be, the request goes without a place.
        let _place = self.places.acquire().await.ok();
        // From here on the client owns the bytes: no later moment is known to be before the last one.
        hand_over.mark()?;
        ask(request).await.map_err(Outcome::from)
    }
}

impl Answer {
    async fn read(mut response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: start(&mut response).await,
        }
    }

    /// How long the provider asks to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.header(RETRY_AFTER.as_str())?, SystemClock.machine())
    }

    /// By its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    }

    pub(super) fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// The status and the start of the body, for people.
    pub(super) fn detail(&self) -> String {
        let body = self.body.as_deref().map_or_else(
            || "the connection broke in the reply".to_owned(),
            |body| shorten(&clean(body), SHOWN),
        );
        clean(format!("HTTP {}: {body}", self.status).trim_end_matches(": "))
    }

    pub(super) fn accepted(&self, gateway_id: Option<String>) -> Outcome {
        Outcome::Accepted {
            gateway_id,
            detail: self.detail(),
        }
    }

    pub(super) fn refused(&self, fault: Fault) -> Outcome {
        Outcome::Refused {
            detail: self.detail(),
            fault,
        }
    }

    pub(super) fn deferred(&self, cause: DeferCause) -> Outcome {
        Outcome::Deferred {
            detail: self.detail(),
            retry_after: self.retry_after(),
            cause,
        }
    }

    pub(super) fn uncertain(&self) -> Outcome {
        Outcome::Uncertain {
            detail: self.detail(),
        }
    }
}

impl Silence {
    fn of(error: reqwest::Error) -> Self {
        let forbidden = causes(&error).find_map(|cause| cause.downcast_ref::<Forbidden>());
        if let Some(forbidden) = forbidden {
            return Self::Impossible(forbidden.to_string());
        }
        // The URL may hold a secret.
        let error = error.without_url();
        let words = words(&error);
        if error.is_builder() {
            Self::Impossible(words)
        } else if error.is_connect() || was_not_processed(&error) {
            Self::Untaken(words)
        } else {
            Self::Unknown(words)
        }
    }

    pub(super) fn words(&self) -> &str {
        let (Self::Impossible(words) | Self::Untaken(words) | Self::Unknown(words)) = self;
        words
    }
}

impl From<Silence> for Outcome {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Impossible(detail) => Self::Refused {
                detail,
                fault: Fault::Message,
            },
            Silence::Untaken(detail) => Self::Deferred {
                detail,
                retry_after: None,
                cause: DeferCause::Gateway,
            },
            Silence::Unknown(detail) => Self::Uncertain { detail },
        }
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}

/// Whether the server said that it did nothing with the request (RFC 9113 §8.7): it refused the stream, or it
/// left with only earlier ones seen to. Those get this error alone that came after the last one it names.
fn was_not_processed(error: &reqwest::Error) -> bool {
    let mut said = causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>());
    said.any(|said| {
        let refused = said.is_reset() && said.reason() == Some(h2::Reason::REFUSED_STREAM);
        said.is_remote() && (refused || said.is_go_away())
    })
}

fn words(error: &reqwest::Error) -> String {
    let words = causes(error).fold(error.to_string(), |words, cause| {
        format!("{words}: {cause}")
    });
    clean(&words)
}

/// The start of the body, or none when it broke off.
async fn start(response: &mut Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            break;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `Retry-After` in either form (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
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
