//! Owns messages that are only looked at or tried: what a communication says to a customer now, without a
//! dispatch.

use jiff::Timestamp;

use crate::domain::by_hand;
use crate::domain::calendar;
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::flow::{Flow, Step};
use crate::domain::link::{LinkKind, url};
use crate::domain::message::{Origin, Rendered};
use crate::domain::near;
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::domain::template::{RenderContext, RenderFailure, Templates, Which};

/// What stands in place of a token: such a link leads nowhere.
const TOKEN: &str = "only-a-trial";

/// A communication of a campaign, or the step of a flow that has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    name: String,
    flow: String,
    step: String,
    channel: Channel,
    variant: Option<String>,
}

/// Nothing of this name says anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no communication `{name}`{}", near.as_deref().map_or_else(String::new, |near| format!(": did you mean `{near}`?")))]
pub struct NoCommunication {
    name: String,
    near: Option<String>,
}

impl Trial {
    /// By the name `CAMPAIGN/COMMUNICATION` or `FLOW/STEP`.
    pub fn of(revision: &Revision, name: &str) -> Result<Self, NoCommunication> {
        let known = all(revision);
        if let Some(found) = known.iter().find(|trial| trial.name == name) {
            return Ok(found.clone());
        }
        let names = known.iter().map(|trial| trial.name.as_str());
        Err(NoCommunication {
            name: name.to_owned(),
            near: near::near(name, names).map(ToOwned::to_owned),
        })
    }

    /// The message as this customer would get it; its links lead nowhere.
    pub fn render(
        &self,
        revision: &Revision,
        customer: &Customer,
        now: Timestamp,
        public_url: &str,
    ) -> Result<Rendered, RenderFailure> {
        let templates = Templates::new(revision);
        self.render_by(&templates, revision, customer, now, public_url)
    }

    /// The same, with templates that were compiled before.
    pub(super) fn render_by(
        &self,
        templates: &Templates,
        revision: &Revision,
        customer: &Customer,
        now: Timestamp,
        public_url: &str,
    ) -> Result<Rendered, RenderFailure> {
        let policy = &revision.policy;
        let zone = customer.text(&policy.zone_field);
        let zone = zone.and_then(calendar::zone_named);
        let day = |at: Timestamp| at.to_zoned(revision.time_zone()).date();
        let last = customer.last_activity_at.map(day);
        let link = |kind| url(public_url, kind, TOKEN);
        templates.render(
            Which {
                flow: &self.flow,
                step: &self.step,
                channel: self.channel,
                variant: self.variant.as_deref(),
            },
            &RenderContext {
                customer,
                rating: Rating::of(customer.status, last, day(now), revision.rating),
                language: customer.text(&policy.language_field),
                zone: &zone.unwrap_or_else(|| revision.time_zone()),
                unsubscribe_url: Some(&link(LinkKind::Unsubscribe)),
                preferences_url: Some(&link(LinkKind::Preferences)),
                dismiss_url: Some(&link(LinkKind::Dismiss)),
            },
        )
    }

    /// All that a step may say: first by the step's own name, and where there are several by channel and
    /// variant, such as `gold-card/offer:b`.
    pub(super) fn ways(flow: &Flow, step: &Step) -> Vec<Self> {
        let name = match by_hand::reuse(&flow.id) {
            Some(_) => flow.id.clone(),
            None => format!("{}/{}", flow.id, step.id),
        };
        let mut trials = Vec::new();
        for action in &step.actions {
            let channel = action.content.channel();
            for (variant, _) in action.content.ways() {
                let by_channel = (step.actions.len() > 1).then_some(channel.as_str());
                let parts = [Some(name.as_str()), by_channel, variant];
                let parts: Vec<&str> = parts.into_iter().flatten().collect();
                trials.push(Trial {
                    name: parts.join(":"),
                    flow: flow.id.clone(),
                    step: step.id.clone(),
                    channel,
                    variant: variant.map(ToOwned::to_owned),
                });
            }
        }
        if let Some(first) = trials.first().filter(|first| first.name != name) {
            let first = Trial {
                name,
                ..first.clone()
            };
            trials.insert(0, first);
        }
        trials
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where the message would come from.
    pub fn origin(&self, customer: &Customer) -> Origin {
        Origin {
            customer: customer.external_id.clone(),
            flow: self.flow.clone(),
            step: self.step.clone(),
        }
    }
}

fn all(revision: &Revision) -> Vec<Trial> {
    let by_hand: Vec<Flow> = by_hand::flows(revision).collect();
    let flows = by_hand.iter().chain(revision.flows.values());
    let steps = flows.flat_map(|flow| flow.steps.iter().map(move |step| (flow, step)));
    steps
        .flat_map(|(flow, step)| Trial::ways(flow, step))
        .collect()
}
