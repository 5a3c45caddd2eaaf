//! Owns the HTTP gateway: one request a message, for SMS and push providers, and what their answer comes to.

mod answer;
mod blueprint;
mod fields;
mod hooks;
mod inbound;
mod lookup;
mod receipts;
mod shared;
mod texts;
mod told;

use std::time::Duration;

use futures_util::future::BoxFuture;

use self::answer::Meaning;
use self::blueprint::Blueprint;
use self::hooks::Hooks;
use self::lookup::Lookup;
use super::detail::clean;
use super::exchange::{Exchange, client};
use super::setup::{BadGateway, Setup};
use super::{Gateway, HandOver, Hook, Inquiry};
use crate::domain::dispatch::{Fault, Outcome};
use crate::domain::gateway::HttpGateway;
use crate::domain::message::Message;

/// One provider, at most `connections` requests at once.
pub struct Http {
    exchange: Exchange,
    blueprint: Blueprint,
    meaning: Meaning,
    hooks: Hooks,
    lookup: Option<Lookup>,
}

impl Http {
    pub fn open(setup: &Setup<'_>, http: &HttpGateway) -> Result<Self, BadGateway> {
        let connections = setup.config.connections.max(1) as usize;
        let blueprint = Blueprint::read(setup, http)?;
        let lookup = http.lookup.as_ref();
        let exchange = Exchange::new(client(limit(http), connections), connections)
            .map_err(|error| setup.bad("gateway.http", &error))?;
        Ok(Self {
            hooks: Hooks::open(setup, http)?,
            lookup: lookup
                .map(|how| Lookup::open(setup, how, exchange.client()))
                .transpose()?,
            exchange,
            meaning: Meaning {
                success: http.success.clone(),
                id_pointer: http.id_pointer.clone(),
                has_key: blueprint.has_key(),
            },
            blueprint,
        })
    }

    async fn post(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let url = self.hooks.url(message);
        let client = self.exchange.client();
        let request = match self.blueprint.request(client, message, url) {
            Ok(request) => request,
            Err(reason) => {
                return Outcome::Refused {
                    detail: clean(&reason),
                    fault: Fault::Message,
                };
            }
        };
        match self.exchange.run(request, hand_over).await {
            Ok(answer) => self.meaning.outcome(&answer),
            Err(outcome) => outcome,
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

    fn hook(&self) -> Option<&dyn Hook> {
        self.hooks.are_there().then_some(&self.hooks as &dyn Hook)
    }

    fn inquiry(&self) -> Option<&dyn Inquiry> {
        self.lookup.as_ref().map(|lookup| lookup as &dyn Inquiry)
    }
}

fn limit(http: &HttpGateway) -> Duration {
    let seconds = http.timeout.approximate_seconds().max(1);
    Duration::from_secs(seconds.unsigned_abs())
}
