//! Owns what becomes of messages: which cannot be made for somebody, and which gateway is kept busy how long.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::candidate::Candidate;
use super::outcome::{FlowImpact, add};
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::flow::{Flow, FlowStatus};
use crate::domain::revision::Revision;
use crate::domain::template::RenderFailure;
use crate::engine::trial::Trial;
use crate::store::{Result, Store};

/// So many of a flow's members are looked at.
const SAMPLE: u32 = 200;
const PUBLIC_URL: &str = "https://example.invalid";

/// A communication that cannot be made for somebody who would get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageImpact {
    pub communication: String,
    pub looked_at: usize,
    pub failing: usize,
    /// One of them, and what is wrong.
    pub customer: String,
    pub why: String,
}

/// What goes out on a channel at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChannelImpact {
    pub channel: Channel,
    pub at_once: u64,
    /// How long that takes at the channel's pace; 0: it has none.
    pub seconds: u64,
}

/// Makes the messages that are new or say something else, for some of those who would get them.
pub(super) async fn failing(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    now: Timestamp,
) -> Result<Vec<MessageImpact>> {
    let mut found = Vec::new();
    for flow in candidate.revision().flows.values() {
        let trials = changed(flow, was);
        if trials.is_empty() || flow.status == FlowStatus::Stopped && !flow.is_draining() {
            continue;
        }
        let customers = members(store, candidate, flow, now).await?;
        for trial in trials {
            found.extend(tried(candidate, &trial, &customers, now));
        }
    }
    Ok(found)
}

fn changed(flow: &Flow, was: &Revision) -> Vec<Trial> {
    let before = was.flows.get(&flow.id);
    let steps = flow.steps.iter().filter(|step| {
        let before = before.and_then(|before| before.step(&step.id));
        before.is_none_or(|before| before.actions != step.actions)
    });
    steps.flat_map(|step| Trial::ways(flow, step)).collect()
}

async fn members(
    store: &Store,
    candidate: &Candidate,
    flow: &Flow,
    now: Timestamp,
) -> Result<Vec<Customer>> {
    let Some(condition) = candidate.audience(flow) else {
        return Ok(Vec::new());
    };
    let catalog = &candidate.catalog;
    let frame = catalog.frame(now);
    let found = store.customers_meeting_after(condition, &frame, None, SAMPLE);
    store.customers_with(&found.await?, &catalog.wanted).await
}

fn tried(
    candidate: &Candidate,
    trial: &Trial,
    customers: &[Customer],
    now: Timestamp,
) -> Option<MessageImpact> {
    let catalog = &candidate.catalog;
    let fails = |customer: &Customer| {
        let made = trial.render_by(
            &catalog.templates,
            catalog.revision(),
            customer,
            now,
            PUBLIC_URL,
        );
        match made {
            Err(RenderFailure::Error(why)) => Some((customer.external_id.clone(), why)),
            _ => None,
        }
    };
    let mut failing = customers.iter().filter_map(fails);
    let (customer, why) = failing.next()?;
    Some(MessageImpact {
        communication: trial.name().to_owned(),
        looked_at: customers.len(),
        failing: failing.count() + 1,
        customer,
        why,
    })
}

/// Only channels on which something goes out at once.
pub(super) fn channels(candidate: &Candidate, flows: &[FlowImpact]) -> Vec<ChannelImpact> {
    let mut all: BTreeMap<Channel, u64> = BTreeMap::new();
    for flow in flows {
        for (channel, count) in &flow.at_once.sent {
            add(&mut all, *channel, *count);
        }
    }
    let configs = &candidate.revision().channels;
    let impact = |(channel, at_once): (Channel, u64)| {
        let pace = configs.get(&channel).and_then(|config| config.pace);
        let seconds = pace.map_or(0, |pace| {
            at_once * u64::from(pace.per_seconds) / u64::from(pace.messages.max(1))
        });
        ChannelImpact {
            channel,
            at_once,
            seconds,
        }
    };
    all.into_iter().map(impact).collect()
}
