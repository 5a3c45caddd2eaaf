//! Owns the HTTP gateway: one request a message, for SMS and push providers, and what their answer comes to.

mod answer;
mod blueprint;
mod fields;
mod texts;

use std::error::Error as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, retry};
use tokio::sync::Semaphore;

use self::answer::{Answer, Meaning, retry_after};
use self::blueprint::Blueprint;
use super::detail::clean;
use super::setup::{BadGateway, Setup};
use super::{Gateway, HandOver};
use crate::clock::{Clock, SystemClock};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::gateway::HttpGateway;
use crate::domain::message::Message;

/// Below the 5 s after which common servers close an unused connection: a request that meets that
/// moment would be `Uncertain`.
const IDLE: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(30);
/// How much of a reply is read.
const LONGEST_REPLY: usize = 64 * 1024;

/// One provider, at most `connections` requests at once.
pub struct Http {
    client: Client,
    places: Semaphore,
    blueprint: Blueprint,
    meaning: Meaning,
}

impl Http {
    pub fn open(setup: &Setup<'_>, http: &HttpGateway) -> Result<Self, BadGateway> {
        let connections = setup.config.connections.max(1) as usize;
        let blueprint = Blueprint::read(setup, http)?;
        Ok(Self {
            client: client(http, connections).map_err(|error| setup.bad("gateway.http", &error))?,
            places: Semaphore::new(connections),
            meaning: Meaning {
                success: http.success.clone(),
                id_pointer: http.id_pointer.clone(),
                has_key: blueprint.has_key(),
            },
            blueprint,
        })
    }

    async fn post(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let request = match self.blueprint.request(&self.client, message) {
            Ok(request) => request,
            Err(reason) => {
                return Outcome::Refused {
                    detail: clean(&reason),
                    fault: Fault::Message,
                };
            }
        };
        // Never closed; should it be, the request goes without a place.
        let _place = self.places.acquire().await.ok();
        // From here on the client owns the bytes: no later moment is known to be before the last one.
        if let Err(recalled) = hand_over.mark() {
            return recalled.into();
        }
        match self.client.execute(request).await {
            Ok(response) => self.meaning.outcome(&answer(response).await),
            Err(error) => failed(error),
        }
    }
}

impl Gateway for Http {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.post(message, hand_over))
    }
}

/// Redirects would carry customers' data to a place nobody configured; retries are the engine's.
fn client(http: &HttpGateway, connections: usize) -> reqwest::Result<Client> {
    let seconds = http.timeout.approximate_seconds().max(1);
    let limit = Duration::from_secs(seconds.unsigned_abs());
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
        .build()
}

async fn answer(mut response: Response) -> Answer {
    let header = response.headers().get(RETRY_AFTER);
    let wait = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, SystemClock.machine()));
    Answer {
        status: response.status().as_u16(),
        retry_after: wait,
        body: start(&mut response).await,
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
