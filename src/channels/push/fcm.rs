//! Owns Firebase Cloud Messaging: one request a device (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::fcm_answer::outcome;
use super::lifetime;
use super::service_account::ServiceAccount;
use crate::channels::exchange::{Exchange, LIMIT, client};
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
    exchange: Exchange,
    account: ServiceAccount,
    url: String,
    retry: RetryPolicy,
}

impl Fcm {
    pub fn open(setup: &Setup<'_>, config: &FcmGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, config, LIMIT)
    }

    /// The same, with another limit for one request and its answer.
    pub fn open_within(
        setup: &Setup<'_>,
        config: &FcmGateway,
        limit: Duration,
    ) -> Result<Self, BadGateway> {
        let place = "gateway.fcm.service-account";
        let file = setup.secret(place, &config.service_account)?;
        let account = ServiceAccount::read(file.expose_secret());
        let text = |text: &Secretive| setup.text("gateway.fcm.base-url", text);
        let base = setup.optional(config.base_url.as_ref(), text)?;
        let base = base.unwrap_or_else(|| BASE.to_owned());
        let project = setup.text("gateway.fcm.project", &config.project)?;
        let connections = setup.config.connections.max(1) as usize;
        let exchange = Exchange::new(client(limit, connections), connections);
        Ok(Self {
            exchange: exchange.map_err(|error| setup.bad("gateway.fcm", &error))?,
            account: account.map_err(|error| setup.bad(place, &error))?,
            url: format!(
                "{}/v1/projects/{project}/messages:send",
                base.trim_end_matches('/')
            ),
            retry: setup.config.retry,
        })
    }

    async fn post(&self, body: &Value, hand_over: &dyn HandOver) -> Outcome {
        let token = match self.account.token(self.exchange.client()).await {
            Ok(token) => token,
            Err(outcome) => return outcome,
        };
        let request = self.request(&token, body);
        match self.exchange.run(request, hand_over).await {
            Ok(answer) => {
                if answer.status == 401 {
                    self.account.forget(&token).await;
                }
                outcome(&answer)
            }
            Err(outcome) => outcome,
        }
    }

    fn request(&self, token: &str, body: &Value) -> RequestBuilder {
        let request = self.exchange.client().post(&self.url);
        request.bearer_auth(token).json(body)
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
                "collapseKey": id,
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
