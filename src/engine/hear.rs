//! Owns hearing: what a channel's gateway tells is stored before the gateway learns that it was taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::outlet::Outlet;
use super::runtime::Engine;
use crate::channels::{Ear, Unheard};
use crate::domain::address::COUNTRY;
use crate::domain::audit::{Actor, Source};
use crate::domain::channel::Channel;
use crate::domain::field::{self, Cardinality, DataModel};
use crate::domain::gateway::Gateway;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::news::{About, Bounce, Fate, News, Receipt, Reply};
use crate::domain::occurrence::{Key, Placed};
use crate::domain::value::Value;
use crate::store::{Error, HeardOf, Listening, MatchKey, Result, Telling};

/// How much of a reply is kept.
const LONGEST: usize = 2_000;

/// Where the gateway of one channel brings what it tells.
pub struct Listener {
    engine: Arc<Engine>,
    channel: Channel,
}

impl Listener {
    pub fn new(engine: Arc<Engine>, channel: Channel) -> Self {
        Self { engine, channel }
    }

    async fn hear_all(&self, news: Vec<News>) -> Result<()> {
        let (mut receipts, mut replies) = (Vec::new(), Vec::new());
        for one in news {
            match one {
                News::Receipt(receipt) => receipts.push(receipt),
                News::Reply(reply) => replies.push(reply),
                News::Passed(passed) => self.engine.metrics.told(self.channel, passed.as_str(), 1),
            }
        }
        if !receipts.is_empty() {
            let heard = self.receipts(&receipts).await?;
            self.count(&heard);
        }
        if !replies.is_empty() {
            self.replies(&replies).await?;
        }
        Ok(())
    }

    async fn receipts(&self, receipts: &[Receipt]) -> Result<HeardOf> {
        let catalog = self.engine.catalog();
        let outlets = self.engine.outlets();
        let outlet = outlets.get(&self.channel);
        let config = outlet.map(|outlet| &outlet.config);
        let field = config.map_or("", |config| config.address_field.as_str());
        let model = only(&catalog.revision().data_model, &[field, COUNTRY]);
        let listening = Listening {
            channel: self.channel,
            config,
            believes_policy: outlet.is_none_or(|outlet| self.believes(outlet, receipts)),
            model: &model,
            marks: catalog.marks_sends,
            now: self.engine.clock.now(),
        };
        self.engine.store.hear(receipts, &listening).await
    }

    /// Whether a policy against us is believed: what a gateway says is, what comes by mail when many say so.
    fn believes(&self, outlet: &Outlet, receipts: &[Receipt]) -> bool {
        if !matches!(outlet.config.gateway, Gateway::Smtp(_)) {
            return true;
        }
        let accused = receipts.iter().filter_map(|receipt| match receipt {
            Receipt {
                about: About::Dispatch(id),
                fate: Fate::Bounced(Bounce::Policy),
                ..
            } => Some(*id),
            _ => None,
        });
        outlet.accusations.weigh(accused, self.engine.clock.now())
    }

    fn count(&self, heard: &HeardOf) {
        let metrics = &self.engine.metrics;
        for fate in &heard.fates {
            metrics.told(self.channel, fate.as_str(), 1);
        }
        metrics.told(self.channel, "strange", heard.strange);
        metrics.told(self.channel, "early", heard.early);
        if heard.strange > 0 {
            let (channel, strange) = (self.channel, heard.strange);
            tracing::info!(%channel, strange, "a gateway tells of messages that are not known");
        }
        if heard.paused {
            let channel = self.channel;
            tracing::error!(%channel, "a policy turns messages away: the channel is paused");
            metrics.turned_away(channel);
        }
    }

    /// Into the history of everybody who has the address: the same reply once.
    async fn replies(&self, replies: &[Reply]) -> Result<()> {
        let now = self.engine.clock.now();
        let of = self.senders(replies).await?;
        let mut placed = Vec::new();
        for reply in replies {
            let customers = of.get(reply.from.as_str());
            if customers.is_none_or(Vec::is_empty) {
                let channel = self.channel;
                tracing::info!(%channel, "a reply came from an address that nobody has");
            }
            let customers = customers.into_iter().flatten();
            placed.extend(customers.map(|customer| self.line(reply, *customer, now)));
        }
        let how = Telling {
            source: Source::Gateway,
            now,
            is_trial: false,
        };
        self.engine.store.record_once(&placed, how).await?;
        self.engine
            .metrics
            .told(self.channel, "reply", replies.len());
        Ok(())
    }

    /// Who has the addresses that replies came from.
    async fn senders<'r>(
        &self,
        replies: &'r [Reply],
    ) -> Result<BTreeMap<&'r str, Vec<CustomerId>>> {
        let (catalog, outlets) = (self.engine.catalog(), self.engine.outlets());
        let mut senders = BTreeMap::new();
        let Some(outlet) = outlets.get(&self.channel) else {
            return Ok(senders);
        };
        let (identifier, store) = (&outlet.config.address_field, &self.engine.store);
        if identifier == field::ID {
            for reply in replies {
                let id = store.customer_id(&reply.from).await?;
                senders.insert(reply.from.as_str(), id.into_iter().collect());
            }
            return Ok(senders);
        }
        let model = &catalog.revision().data_model;
        let field = model.field(identifier);
        let Some(field) = field.filter(|field| field.cardinality == Cardinality::One) else {
            return Ok(senders);
        };
        let mut keys = BTreeMap::new();
        for reply in replies {
            let value = Value::parse(field.kind, &reply.from, &TimeZone::UTC);
            let key = match value {
                Ok(value) => MatchKey::of(field, &value)?,
                Err(_) => None,
            };
            if let Some(key) = key {
                keys.insert(reply.from.as_str(), key);
            }
        }
        let asked: Vec<MatchKey> = keys.values().cloned().collect();
        let found = store.customers_matching(field, &asked).await?;
        for (from, key) in keys {
            let customers = found.get(&key).into_iter().flatten();
            senders.insert(from, customers.map(|(id, _)| *id).collect());
        }
        Ok(senders)
    }

    fn line(&self, reply: &Reply, customer: CustomerId, now: Timestamp) -> Placed {
        let text: String = reply.text.chars().take(LONGEST).collect();
        let detail = json!({ "text": text, "from": reply.from, "to": reply.to, "id": reply.id });
        Placed {
            key: Key::of(&format!("reply {} {}", self.channel, reply.id)),
            line: Interaction {
                channel: Some(self.channel),
                actor: Some(Actor::customer().to_string()),
                detail: Some(detail),
                ..Interaction::new(customer, now, Kind::Replied)
            },
            nps: None,
            environment: None,
        }
    }
}

impl Ear for Listener {
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, std::result::Result<(), Unheard>> {
        Box::pin(async move {
            let heard = self.hear_all(news).await;
            heard.map_err(|error: Error| Unheard(error.to_string()))
        })
    }
}

/// The model with these fields alone: what is not read costs nothing.
fn only(model: &DataModel, identifiers: &[&str]) -> DataModel {
    let fields = identifiers.iter().filter_map(|name| model.field(name));
    DataModel {
        fields: fields.cloned().collect(),
        ..DataModel::default()
    }
}
