//! Owns hearing: what a channel's gateway tells is stored before the gateway learns that it was taken.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::outlet::Outlet;
use super::replies;
use super::runtime::Engine;
use crate::channels::{Ear, Unheard};
use crate::domain::address::COUNTRY;
use crate::domain::channel::Channel;
use crate::domain::gateway::Gateway;
use crate::domain::news::{About, Bounce, Fate, News, Receipt};
use crate::store::{Error, HeardOf, Listening, Result};

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
            replies::hear(&self.engine, self.channel, &replies).await?;
            self.engine
                .metrics
                .told(self.channel, "reply", replies.len());
        }
        Ok(())
    }

    async fn receipts(&self, receipts: &[Receipt]) -> Result<HeardOf> {
        let catalog = self.engine.catalog();
        let outlets = self.engine.outlets();
        let outlet = outlets.get(&self.channel);
        let config = outlet.map(|outlet| &outlet.config);
        let field = config.map_or("", |config| config.address_field.as_str());
        let model = replies::only(&catalog.revision().data_model, &[field, COUNTRY]);
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
}

impl Ear for Listener {
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, std::result::Result<(), Unheard>> {
        Box::pin(async move {
            let heard = self.hear_all(news).await;
            heard.map_err(|error: Error| Unheard(error.to_string()))
        })
    }
}
