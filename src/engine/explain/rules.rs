//! Owns the rule behind a reason: which record, switch, permission or limit it was, whose and since when.

use jiff::Timestamp;

use super::question::Question;
use crate::domain::address::Written;
use crate::domain::channel::Channel;
use crate::domain::dispatch::Reason;
use crate::domain::flow::Step;
use crate::domain::interaction::Kind;
use crate::domain::scope_words;
use crate::domain::segment_words;
use crate::domain::subscription::ConsentRule;
use crate::store::{HistoryFilter, Result};

/// The words for why a message of this step was withheld at that time.
pub(super) async fn behind(
    question: &Question<'_>,
    (step, channel): (&Step, Option<Channel>),
    reason: Reason,
    at: Timestamp,
) -> Result<Vec<String>> {
    Ok(match reason {
        Reason::UnsubscribedCampaign
        | Reason::UnsubscribedCategory
        | Reason::UnsubscribedGroup
        | Reason::UnsubscribedChannel
        | Reason::UnsubscribedEverything => unsubscriptions(question, (step, channel), at).await?,
        Reason::Dismissed => dismissals(question).await?,
        Reason::ChannelOff | Reason::OutboundOff => switches(question, at).await?,
        Reason::NoConsent => channel.map_or_else(Vec::new, |channel| consent(question, channel)),
        Reason::AddressMissing | Reason::AddressInvalid => {
            channel.map_or_else(Vec::new, |channel| address(question, channel))
        }
        Reason::AddressSuppressed => match channel {
            Some(channel) => suppression(question, channel).await?,
            None => Vec::new(),
        },
        Reason::FrequencyCapped => channel.map_or_else(Vec::new, |channel| caps(question, channel)),
        Reason::SendConditionFalse => condition(question, step),
        Reason::Late => vec![format!(
            "more than {} after it was meant (max-lateness)",
            question.flow.max_lateness
        )],
        Reason::Suspended | Reason::Discarded => {
            let status = question.customer.status.as_str();
            vec![format!("the customer's status is {status} now")]
        }
        _ => Vec::new(),
    })
}

/// The records that cover the step's messages, as they stand.
async fn unsubscriptions(
    question: &Question<'_>,
    (step, channel): (&Step, Option<Channel>),
    at: Timestamp,
) -> Result<Vec<String>> {
    let store = question.store;
    let id = question.customer.id;
    let records = store.subscriptions_of(&[id]).await?.remove(&id);
    let number = question
        .catalog
        .published
        .numbers
        .step(&question.flow.id, &step.id);
    let plan = question.catalog.plan(question.number);
    let plan = plan.and_then(|plan| plan.step(number?));
    let action = plan.and_then(|plan| plan.on(channel?));
    let belongs = action.map_or(&[][..], |action| &action.belongs);
    let mut lines = Vec::new();
    for record in records.unwrap_or_default() {
        if belongs.iter().any(|place| record.scope.covers(place)) && record.at <= at {
            let scope = scope_words::words(&record.scope);
            let (actor, source) = (&record.by.actor, record.by.source.as_str());
            let since = question.told(record.at);
            lines.push(format!(
                "unsubscribed from {scope} by {actor} ({source}) on {since}"
            ));
        }
    }
    if lines.is_empty() {
        lines.push("the record has changed since".to_owned());
    }
    Ok(lines)
}

async fn dismissals(question: &Question<'_>) -> Result<Vec<String>> {
    let store = question.store;
    let id = question.customer.id;
    let dismissals = store.dismissals_of(&[id]).await?.remove(&id);
    let lines = dismissals.unwrap_or_default().into_iter().map(|dismissal| {
        let (campaign, at) = (&dismissal.campaign, question.told(dismissal.at));
        let (actor, source) = (&dismissal.by.actor, dismissal.by.source.as_str());
        format!("`{campaign}` dismissed by {actor} ({source}) on {at}")
    });
    Ok(lines.collect())
}

/// The last switching off before the message, from the customer's history.
async fn switches(question: &Question<'_>, at: Timestamp) -> Result<Vec<String>> {
    let filter = HistoryFilter {
        until: at.checked_add(jiff::SignedDuration::from_micros(1)).ok(),
        kinds: vec![Kind::SwitchedOff.as_str().to_owned()],
        ..HistoryFilter::default()
    };
    let store = question.store;
    let lines = store.history(question.customer.id, &filter, 1).await?;
    let told = lines.into_iter().map(|line| {
        let what = line.channel.map_or("outbound", Channel::as_str);
        let who = line.actor.as_deref().unwrap_or("somebody").to_owned();
        format!("{what} switched off by {who} on {}", question.told(line.at))
    });
    Ok(told.collect())
}

fn consent(question: &Question<'_>, channel: Channel) -> Vec<String> {
    let has = question.customer.consents.channel(channel).as_str();
    let asks = match question.catalog.revision().policy.consent_rule(channel) {
        ConsentRule::OptIn => "only those who opted in are written to",
        ConsentRule::OptOut => "everybody who has not said no is written to",
    };
    vec![format!(
        "{channel} consent is {has} now, and {asks} (policy: consent)"
    )]
}

fn address(question: &Question<'_>, channel: Channel) -> Vec<String> {
    let revision = question.catalog.revision();
    let Some(config) = revision.channels.get(&channel) else {
        return Vec::new();
    };
    let field = &config.address_field;
    let value = question.customer.text(field).unwrap_or("none");
    vec![format!("the address is in `{field}`: {value}")]
}

/// Where the address is, and what suppressed it.
async fn suppression(question: &Question<'_>, channel: Channel) -> Result<Vec<String>> {
    let mut lines = address(question, channel);
    let revision = question.catalog.revision();
    let config = revision.channels.get(&channel);
    let own = config.and_then(|config| Written::of(question.customer, config).good());
    if let Some(own) = own
        && let Some(found) = question.store.suppression(channel, &own).await?
    {
        let since = question.told(found.at);
        lines.push(format!("suppressed on {since}: {}", found.reason));
    }
    Ok(lines)
}

fn caps(question: &Question<'_>, channel: Channel) -> Vec<String> {
    let caps = question.catalog.revision().policy.caps.iter();
    caps.filter(|cap| cap.channels.contains(&channel))
        .map(|cap| {
            let channels: Vec<&str> = cap
                .channels
                .iter()
                .map(|channel| channel.as_str())
                .collect();
            let channels = channels.join(", ");
            format!(
                "at most {} per {} on {channels} (policy: frequency-caps)",
                cap.limit, cap.per
            )
        })
        .collect()
}

fn condition(question: &Question<'_>, step: &Step) -> Vec<String> {
    let model = &question.catalog.revision().data_model;
    let condition = step.condition.as_ref();
    condition
        .map(|condition| format!("sent only if {}", segment_words::words(condition, model)))
        .into_iter()
        .collect()
}
