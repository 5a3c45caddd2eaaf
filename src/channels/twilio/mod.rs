//! Owns the gateway of Twilio's Messages API: one form a message, and what Twilio tells afterwards.

mod hook;
mod signature;
mod verdict;

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use self::hook::Callbacks;
use super::detail::clean;
use super::exchange::{Exchange, LIMIT, client};
use super::setup::{BadGateway, Setup};
use super::{Gateway, HandOver, Hook};
use crate::domain::dispatch::{Fault, Outcome};
use crate::domain::gateway::TwilioGateway;
use crate::domain::message::{Message, Rendered};

/// One account, at most `connections` requests at once.
pub struct Twilio {
    exchange: Exchange,
    url: Url,
    account: String,
    token: SecretString,
    /// The fields that every message has.
    sender: Vec<(&'static str, String)>,
    callbacks: Callbacks,
}

impl Twilio {
    pub fn open(setup: &Setup<'_>, twilio: &TwilioGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, twilio, LIMIT)
    }

    /// The same, with another limit for one request and its answer.
    pub fn open_within(
        setup: &Setup<'_>,
        twilio: &TwilioGateway,
        limit: Duration,
    ) -> Result<Self, BadGateway> {
        let account = setup.text("gateway.twilio.account-sid", &twilio.account_sid)?;
        let token = setup.secret("gateway.twilio.auth-token", &twilio.auth_token)?;
        if token.expose_secret().is_empty() {
            return Err(setup.bad("gateway.twilio.auth-token", "it is empty"));
        }
        let connections = setup.config.connections.max(1) as usize;
        Ok(Self {
            exchange: Exchange::new(client(limit, connections), connections)
                .map_err(|error| setup.bad("gateway.twilio", &error))?,
            url: messages(setup, twilio, &account)?,
            sender: sender(setup, twilio)?,
            callbacks: Callbacks::new(&token),
            account,
            token,
        })
    }

    async fn post(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let request = match self.request(message) {
            Ok(request) => request,
            Err(reason) => {
                return Outcome::Refused {
                    detail: clean(&reason),
                    fault: Fault::Message,
                };
            }
        };
        match self.exchange.run(request, hand_over).await {
            Ok(answer) => verdict::outcome(&answer),
            Err(outcome) => outcome,
        }
    }

    fn request(&self, message: &Message) -> Result<RequestBuilder, String> {
        let Rendered::Sms(sms) = &message.frozen.rendered else {
            return Err("this gateway takes text messages only".to_owned());
        };
        let mut form = vec![("To", message.frozen.to.as_str()), ("Body", &sms.text)];
        form.extend(
            self.sender
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        if let Some(url) = &message.receipt_url {
            form.push(("StatusCallback", url));
        }
        let request = self.exchange.client().post(self.url.clone());
        let request = request.basic_auth(&self.account, Some(self.token.expose_secret()));
        Ok(request.form(&form))
    }
}

impl Gateway for Twilio {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.post(message, hand_over))
    }

    fn hook(&self) -> Option<&dyn Hook> {
        Some(&self.callbacks)
    }
}

/// `…/2010-04-01/Accounts/{AccountSid}/Messages.json`.
fn messages(setup: &Setup<'_>, twilio: &TwilioGateway, account: &str) -> Result<Url, BadGateway> {
    let fits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits {
        let why = "an account's SID is `AC` and 32 hexadecimal digits";
        return Err(setup.bad("gateway.twilio.account-sid", why));
    }
    let key = "gateway.twilio.base-url";
    let base = setup.text(key, &twilio.base_url)?;
    let base = base.trim_end_matches('/');
    let url = format!("{base}/2010-04-01/Accounts/{account}/Messages.json");
    let url = Url::parse(&url).map_err(|error| setup.bad(key, &error))?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err(setup.bad(key, "it must begin with `https://`"));
    }
    Ok(url)
}

fn sender(
    setup: &Setup<'_>,
    twilio: &TwilioGateway,
) -> Result<Vec<(&'static str, String)>, BadGateway> {
    let from = setup.optional(setup.config.from.as_ref(), |text| setup.text("from", text))?;
    let service = setup.optional(twilio.messaging_service_sid.as_ref(), |text| {
        setup.text("gateway.twilio.messaging-service-sid", text)
    })?;
    let validity = twilio
        .validity_period
        .map(|period| period.approximate_seconds().to_string());
    let fields = [
        ("From", from),
        ("MessagingServiceSid", service),
        ("ValidityPeriod", validity),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    Ok(fields.collect())
}
