//! Owns Web Push: an encrypted message to the push service of a customer's browser (RFC 8030).

use std::time::Duration;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use reqwest::{Method, Url};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::sync::Semaphore;

use super::encryption::{MOST, encrypt};
use super::jwt::Signer;
use super::lifetime;
use crate::channels::exchange::{Answer, LIMIT, Silence, ask};
use crate::channels::fan_out;
use crate::channels::guard::Guard;
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Devices, Gateway, HandOver};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::device::{Device, DeviceAddress, DeviceKind, Subscription};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::gateway::{RetryPolicy, Urgency, WebpushGateway};
use crate::domain::ids::DispatchId;
use crate::domain::message::{Message, Rendered};
use crate::domain::network::Network;

/// A token may be good for a day (RFC 8292 §2).
const PROVES_FOR: SignedDuration = SignedDuration::from_hours(12);

/// The push services of browsers.
pub struct Webpush {
    guard: Guard,
    signer: Signer,
    /// The public key, as browsers were given it.
    key: String,
    subject: String,
    urgency: Urgency,
    retry: RetryPolicy,
    places: Semaphore,
}

impl Webpush {
    pub fn open(setup: &Setup<'_>, config: &WebpushGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, config, LIMIT)
    }

    /// The same, with another limit for one request and its answer.
    pub fn open_within(
        setup: &Setup<'_>,
        config: &WebpushGateway,
        limit: Duration,
    ) -> Result<Self, BadGateway> {
        let (signer, public) = signer(setup, config)?;
        let networks = config.allow_networks.iter().map(|text| {
            let network = text.parse::<Network>();
            network.map_err(|error| setup.bad("gateway.webpush.allow-networks", &error))
        });
        let networks: Vec<Network> = networks.collect::<Result<_, _>>()?;
        let guard = Guard::new(&networks, limit);
        Ok(Self {
            guard: guard.map_err(|error| setup.bad("gateway.webpush", &error))?,
            signer,
            key: BASE64_URL_SAFE_NO_PAD.encode(public),
            subject: setup.text("gateway.webpush.subject", &config.subject)?,
            urgency: config.urgency.unwrap_or(Urgency::Normal),
            retry: setup.config.retry,
            places: Semaphore::new(setup.config.connections.max(1) as usize),
        })
    }

    async fn post(
        &self,
        message: &Message,
        to: &Subscription,
        hand_over: &dyn HandOver,
    ) -> Outcome {
        let request = match self.request(message, to) {
            Ok(request) => request,
            Err(reason) => {
                return Outcome::Refused {
                    detail: reason,
                    fault: Fault::Message,
                };
            }
        };
        // Never closed; should it be, the request goes without a place.
        let _place = self.places.acquire().await.ok();
        if let Err(recalled) = hand_over.mark() {
            return recalled.into();
        }
        match ask(request).await {
            Ok(answer) => outcome(&answer),
            Err(silence) => of_one_service(silence),
        }
    }

    fn request(
        &self,
        message: &Message,
        to: &Subscription,
    ) -> Result<reqwest::RequestBuilder, String> {
        let body = body(message)?;
        let body = encrypt(&body, to).map_err(|_| "the browser's keys are none".to_owned())?;
        let request = self.guard.request(Method::POST, &to.endpoint);
        let request = request.map_err(|error| error.to_string())?;
        let now = SystemClock.machine();
        let left = lifetime::left(lifetime::until(message, &self.retry), now);
        let endpoint = Url::parse(&to.endpoint).map_err(|error| error.to_string())?;
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": (now + PROVES_FOR).as_second(),
            "sub": self.subject,
        });
        let token = self.signer.token(None, &claims);
        let token = token.ok_or("the system gives no random bytes")?;
        Ok(request
            .header("Authorization", format!("vapid t={token}, k={}", self.key))
            .header("TTL", left.as_secs())
            .header("Urgency", self.urgency.as_str())
            .header("Topic", topic(message.id))
            .header("Content-Encoding", "aes128gcm")
            .header("Content-Type", "application/octet-stream")
            .body(body))
    }
}

impl Gateway for Webpush {
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

impl Devices for Webpush {
    fn kind(&self) -> DeviceKind {
        DeviceKind::Webpush
    }

    fn push<'a>(
        &'a self,
        message: &'a Message,
        device: &'a Device,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match &device.address {
                DeviceAddress::Webpush(to) => self.post(message, to, hand_over).await,
                _ => Outcome::Refused {
                    detail: "this is no browser".to_owned(),
                    fault: Fault::Message,
                },
            }
        })
    }
}

fn signer(setup: &Setup<'_>, config: &WebpushGateway) -> Result<(Signer, Vec<u8>), BadGateway> {
    let place = "gateway.webpush.key";
    let secret = setup.secret(place, &config.key)?;
    let text = secret.expose_secret().trim();
    let none = || {
        setup.bad(
            place,
            "is no private key of P-256: 32 bytes in base64url, or PEM",
        )
    };
    if text.starts_with("-----") {
        let signer = Signer::curve(text).map_err(|error| setup.bad(place, &error))?;
        let public = signer.public_point().ok_or_else(none)?;
        return Ok((signer, public));
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let bytes = bytes.map_err(|_| none())?;
    let key = PrivateKey::from_private_key(&ECDH_P256, &bytes).map_err(|_| none())?;
    let public = key.compute_public_key().map_err(|_| none())?;
    let public = public.as_ref().to_vec();
    let signer = Signer::point(&bytes, &public).map_err(|error| setup.bad(place, &error))?;
    Ok((signer, public))
}

/// What the page's worker gets: it shows the notification.
fn body(message: &Message) -> Result<Vec<u8>, String> {
    let Rendered::Push(push) = &message.frozen.rendered else {
        return Err("this is no push message".to_owned());
    };
    let body = json!({
        "id": message.id.to_string(),
        "title": push.title,
        "body": push.body,
        "link": push.link,
    });
    let body = body.to_string().into_bytes();
    if body.len() > MOST {
        let length = body.len();
        return Err(format!(
            "the message has {length} bytes, and push services take {MOST}"
        ));
    }
    Ok(body)
}

/// A later try takes the place of an earlier one that the browser has not fetched (RFC 8030 §5.4).
fn topic(id: DispatchId) -> String {
    let hash = digest(&SHA256, id.to_string().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..24])
}

/// RFC 8030 §5 and §7.3. Whatever one push service answers says nothing about the others.
fn outcome(answer: &Answer) -> Outcome {
    match answer.status {
        200..300 => answer.accepted(answer.header("location")),
        404 | 410 => answer.refused(Fault::Device),
        408 | 425 | 429 | 503 => answer.deferred(DeferCause::Throttled),
        300..500 => answer.refused(Fault::Message),
        _ => answer.uncertain(),
    }
}

/// One push service that cannot be reached is not the whole gateway.
fn of_one_service(silence: Silence) -> Outcome {
    match silence {
        Silence::Untaken(detail) => Outcome::Deferred {
            detail,
            retry_after: None,
            cause: DeferCause::Message,
        },
        other => other.into(),
    }
}
