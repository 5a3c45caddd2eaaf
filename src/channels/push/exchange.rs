//! Owns one request and its answer, and what it means that there is none.

use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, retry};

use crate::channels::detail::{clean, shorten};
use crate::channels::guard;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

/// How long a request may take in all.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// How much of a reply is read.
const LONGEST: usize = 64 * 1024;
/// How much of a reply is shown to people.
const SHOWN: usize = 200;

/// What a provider said.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The start of it; empty when the connection broke after the status.
    pub(super) body: String,
}

impl Reply {
    /// How long the provider asks to be left alone (RFC 9110 §10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        wait(value, SystemClock.machine())
    }

    /// By its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    }

    /// The status and the start of the reply, for people.
    pub(super) fn words(&self) -> String {
        let body = shorten(&clean(&self.body), SHOWN);
        clean(format!("HTTP {} {body}", self.status).trim_end())
    }

    pub(super) fn accepted(&self, gateway_id: Option<String>) -> Outcome {
        Outcome::Accepted {
            gateway_id,
            detail: self.words(),
        }
    }

    pub(super) fn refused(&self, fault: Fault) -> Outcome {
        Outcome::Refused {
            detail: self.words(),
            fault,
        }
    }

    pub(super) fn deferred(&self, cause: DeferCause) -> Outcome {
        Outcome::Deferred {
            detail: self.words(),
            retry_after: self.retry_after(),
            cause,
        }
    }

    pub(super) fn uncertain(&self) -> Outcome {
        Outcome::Uncertain {
            detail: self.words(),
        }
    }
}

/// Redirects would carry customers' data to a place nobody configured; retries are the engine's.
pub(super) fn client(connections: usize) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .retry(retry::never())
        .no_proxy()
        .timeout(LIMIT)
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(connections)
        .user_agent(concat!("drumbeat/", env!("CARGO_PKG_VERSION")))
}

/// Asks once.
///
/// # Errors
/// What it means for the message that there is no answer.
pub(super) async fn ask(request: RequestBuilder) -> Result<Reply, Outcome> {
    let mut response = request.send().await.map_err(silence)?;
    Ok(Reply {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: start(&mut response).await,
    })
}

async fn start(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Unless there was not even a connection, the request may have been taken.
fn silence(error: reqwest::Error) -> Outcome {
    let is_forbidden = guard::stopped(&error).is_some();
    let before = error.is_connect();
    // The URL may hold the token of a device.
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    let detail = clean(&words);
    if is_forbidden {
        Outcome::Refused {
            detail,
            fault: Fault::Message,
        }
    } else if before {
        Outcome::Deferred {
            detail,
            retry_after: None,
            cause: DeferCause::Gateway,
        }
    } else {
        Outcome::Uncertain { detail }
    }
}

/// Seconds, or a date.
fn wait(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}
