//! Owns Apple Push Notification service: one HTTP/2 request a device (developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::BoxFuture;
use reqwest::{Certificate, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::{Builder, Uuid};

use super::apns_answer::{Said, outcome};
use super::jwt::Signer;
use super::lifetime;
use crate::channels::exchange::{Exchange, LIMIT, client};
use crate::channels::fan_out;
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Devices, Gateway, HandOver};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::device::{Device, DeviceAddress, DeviceKind};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::gateway::{ApnsGateway, RetryPolicy, Secretive};
use crate::domain::ids::DispatchId;
use crate::domain::message::{Message, Rendered};

const PRODUCTION: &str = "https://api.push.apple.com";
const DEVELOPMENT: &str = "https://api.sandbox.push.apple.com";
/// Apple wants a new token after 20 minutes at the soonest, and after 60 at the latest.
const PROVES_FOR: Duration = Duration::from_mins(40);
const SOONEST: Duration = Duration::from_mins(20);
/// How often an idle connection is tried.
const ALIVE: Duration = Duration::from_mins(5);

/// Apple, on behalf of one app of a team.
pub struct Apns {
    exchange: Exchange,
    team: Team,
    topic: String,
    base: String,
    retry: RetryPolicy,
    /// Whether Apple has taken a message or known a token.
    is_proven: AtomicBool,
}

/// Who sends, with the token that proves it.
struct Team {
    id: String,
    key_id: String,
    signer: Signer,
    token: Mutex<Option<Proof>>,
}

struct Proof {
    token: String,
    since: Instant,
    is_refused: bool,
}

impl Apns {
    pub fn open(setup: &Setup<'_>, config: &ApnsGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, config, LIMIT)
    }

    /// The same, with another limit for one request and its answer.
    pub fn open_within(
        setup: &Setup<'_>,
        config: &ApnsGateway,
        limit: Duration,
    ) -> Result<Self, BadGateway> {
        let text = |name: &str, text: &Secretive| setup.text(&format!("gateway.apns.{name}"), text);
        let key = setup.secret("gateway.apns.key", &config.key)?;
        let signer = Signer::curve(key.expose_secret());
        let own = match config.production {
            Some(false) => DEVELOPMENT,
            _ => PRODUCTION,
        };
        let base = setup.optional(config.base_url.as_ref(), |url| text("base-url", url))?;
        let base = base.unwrap_or_else(|| own.to_owned());
        let connections = setup.config.connections.max(1) as usize;
        // Apple takes who connects again and again for an attack.
        let client = client(limit, connections).pool_idle_timeout(None);
        let client = client.http2_prior_knowledge();
        let client = client.http2_keep_alive_interval(ALIVE);
        let client = client.http2_keep_alive_while_idle(true);
        let client = client.tls_certs_merge(trusted(setup, config)?);
        Ok(Self {
            exchange: Exchange::new(client, connections)
                .map_err(|error| setup.bad("gateway.apns", &error))?,
            team: Team {
                id: text("team", &config.team)?,
                key_id: text("key-id", &config.key_id)?,
                signer: signer.map_err(|error| setup.bad("gateway.apns.key", &error))?,
                token: Mutex::default(),
            },
            topic: text("topic", &config.topic)?,
            base: base.trim_end_matches('/').to_owned(),
            retry: setup.config.retry,
            is_proven: AtomicBool::default(),
        })
    }

    async fn post(
        &self,
        message: &Message,
        body: &Value,
        (token, device): (&str, &Device),
        hand_over: &dyn HandOver,
    ) -> Outcome {
        let Some(proof) = self.team.proof().await else {
            return Outcome::Deferred {
                detail: "the system gives no random bytes".to_owned(),
                retry_after: None,
                cause: DeferCause::Gateway,
            };
        };
        let request = self.request(message, token, &proof).json(body);
        let answer = match self.exchange.run(request, hand_over).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let said = Said::of(&answer);
        if said.reason == "ExpiredProviderToken" {
            self.team.refuse(&proof).await;
        }
        if matches!(answer.status, 200 | 410) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
        let is_proven = self.is_proven.load(Ordering::Relaxed);
        outcome(&answer, &said, device.registered_at, is_proven)
    }

    fn request(&self, message: &Message, token: &str, proof: &str) -> RequestBuilder {
        let until = lifetime::until(message, &self.retry).as_second();
        let client = self.exchange.client();
        client
            .post(format!("{}/3/device/{token}", self.base))
            .header("authorization", format!("bearer {proof}"))
            .header("apns-id", id(message.id, token).to_string())
            // A later try takes the place of an earlier one.
            .header("apns-collapse-id", message.id.to_string())
            .header("apns-expiration", until)
            .header("apns-priority", "10")
            .header("apns-push-type", "alert")
            .header("apns-topic", &self.topic)
    }
}

impl Team {
    /// The token that proves who sends: one for all requests.
    async fn proof(&self) -> Option<String> {
        let mut known = self.token.lock().await;
        if let Some(proof) = &*known {
            let good_for = if proof.is_refused {
                SOONEST
            } else {
                PROVES_FOR
            };
            if proof.since.elapsed() < good_for {
                return Some(proof.token.clone());
            }
        }
        let claims = json!({ "iss": self.id, "iat": SystemClock.machine().as_second() });
        let token = self.signer.token(Some(&self.key_id), &claims)?;
        *known = Some(Proof {
            token: token.clone(),
            since: Instant::now(),
            is_refused: false,
        });
        Some(token)
    }

    /// A token that Apple takes no more is renewed as soon as Apple takes a new one.
    async fn refuse(&self, refused: &str) {
        let mut known = self.token.lock().await;
        let known = known.as_mut().filter(|proof| proof.token == refused);
        if let Some(proof) = known {
            proof.is_refused = true;
        }
    }
}

impl Gateway for Apns {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(fan_out::to_one(self, message, hand_over))
    }

    fn devices(&self) -> Option<&dyn Devices> {
        Some(self)
    }
}

impl Devices for Apns {
    fn kind(&self) -> DeviceKind {
        DeviceKind::Apns
    }

    fn push<'a>(
        &'a self,
        message: &'a Message,
        device: &'a Device,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match (&device.address, body(message)) {
                (DeviceAddress::Apns(token), Some(body)) => {
                    self.post(message, &body, (token, device), hand_over).await
                }
                _ => Outcome::Refused {
                    detail: "this is no push message to a device of Apple".to_owned(),
                    fault: Fault::Message,
                },
            }
        })
    }
}

fn trusted(setup: &Setup<'_>, config: &ApnsGateway) -> Result<Vec<Certificate>, BadGateway> {
    let place = "gateway.apns.ca-file";
    let file = setup.optional(config.ca_file.as_ref(), |file| setup.text(place, file))?;
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let path = setup.workspace.join(file);
    let pem = std::fs::read(&path)
        .map_err(|error| setup.bad(place, &format!("`{}`: {error}", path.display())))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| setup.bad(place, &error))
}

fn body(message: &Message) -> Option<Value> {
    let Rendered::Push(push) = &message.frozen.rendered else {
        return None;
    };
    let mut body = json!({
        "aps": { "alert": { "title": push.title, "body": push.body } },
        "dispatch": message.id.to_string(),
    });
    if let Some(link) = &push.link {
        body["link"] = json!(link);
    }
    Some(body)
}

/// The same for the same message to the same device (RFC 9562 §5.8).
fn id(message: DispatchId, token: &str) -> Uuid {
    let hash = digest(&SHA256, format!("{message} {token}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
