//! Owns Firebase Cloud Messaging: one request a device (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).

use futures_util::future::BoxFuture;
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::exchange::{ask, client};
use super::fcm_answer::outcome;
use super::lifetime;
use super::service_account::ServiceAccount;
use crate::channels::fan_out;
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Devices, Gateway, HandOver};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::device::{Device, DeviceAddress, DeviceKind};
use crate::domain::dispatch::{Fault, Outcome};
use crate::domain::gateway::{FcmGateway, RetryPolicy, Secretive};
use crate::domain::message::{Message, Rendered};

const BASE: &str = "https://fcm.googleapis.com";

/// Firebase, on behalf of one project.
pub struct Fcm {
    client: Client,
    account: ServiceAccount,
    url: String,
    retry: RetryPolicy,
    places: Semaphore,
}

impl Fcm {
    pub fn open(setup: &Setup<'_>, config: &FcmGateway) -> Result<Self, BadGateway> {
        let place = "gateway.fcm.service-account";
        let file = setup.secret(place, &config.service_account)?;
        let account = ServiceAccount::read(file.expose_secret());
        let text = |text: &Secretive| setup.text("gateway.fcm.base-url", text);
        let base = setup.optional(config.base_url.as_ref(), text)?;
        let base = base.unwrap_or_else(|| BASE.to_owned());
        let project = setup.text("gateway.fcm.project", &config.project)?;
        let connections = setup.config.connections.max(1) as usize;
        let client = client(connections).build();
        Ok(Self {
            client: client.map_err(|error| setup.bad("gateway.fcm", &error))?,
            account: account.map_err(|error| setup.bad(place, &error))?,
            url: format!(
                "{}/v1/projects/{project}/messages:send",
                base.trim_end_matches('/')
            ),
            retry: setup.config.retry,
            places: Semaphore::new(connections),
        })
    }

    async fn post(&self, body: &Value, hand_over: &dyn HandOver) -> Outcome {
        // Never closed; should it be, the request goes without a place.
        let _place = self.places.acquire().await.ok();
        let token = match self.account.token(&self.client).await {
            Ok(token) => token,
            Err(outcome) => return outcome,
        };
        if let Err(recalled) = hand_over.mark() {
            return recalled.into();
        }
        match ask(self.request(&token, body)).await {
            Ok(reply) => {
                if reply.status == 401 {
                    self.account.forget(&token).await;
                }
                outcome(&reply)
            }
            Err(silence) => silence,
        }
    }

    fn request(&self, token: &str, body: &Value) -> RequestBuilder {
        self.client.post(&self.url).bearer_auth(token).json(body)
    }

    fn body(&self, message: &Message, to: (&str, &str)) -> Option<Value> {
        let Rendered::Push(push) = &message.frozen.rendered else {
            return None;
        };
        let id = message.id.to_string();
        let until = lifetime::until(message, &self.retry);
        let left = lifetime::left(until, SystemClock.machine());
        let mut data = json!({ "dispatch": id });
        if let Some(link) = &push.link {
            data["link"] = json!(link);
        }
        let mut message = json!({
            "notification": { "title": push.title, "body": push.body },
            "data": data,
            // A later try takes the place of an earlier one.
            "android": {
                "collapse_key": id,
                "ttl": format!("{}s", left.as_secs()),
                "notification": { "tag": id },
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": id,
                    "apns-expiration": until.as_second().to_string(),
                },
            },
        });
        let (name, value) = to;
        message[name] = json!(value);
        Some(json!({ "message": message }))
    }
}

impl Gateway for Fcm {
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

impl Devices for Fcm {
    fn kind(&self) -> DeviceKind {
        DeviceKind::Fcm
    }

    fn push<'a>(
        &'a self,
        message: &'a Message,
        device: &'a Device,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let to = match &device.address {
                DeviceAddress::FcmToken(token) => Some(("token", token.as_str())),
                DeviceAddress::FcmInstallation(id) => Some(("fid", id.as_str())),
                _ => None,
            };
            match to.and_then(|to| self.body(message, to)) {
                Some(body) => self.post(&body, hand_over).await,
                None => Outcome::Refused {
                    detail: "this is no push message to a device of Firebase".to_owned(),
                    fault: Fault::Message,
                },
            }
        })
    }
}
