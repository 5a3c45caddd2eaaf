//! Owns the commands by which customers give messages up and take them back.

use clap::ArgAction;
use serde_json::{Value, json};

use super::actor::ActorArgument;
use super::confirm::Confirmation;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::session::{self, Session};
use super::{output, words};
use crate::customers::subscriptions;
use crate::domain::audit::Source;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::subscription::{Consent, Resubscription, Scope};

/// What every change of consent says besides.
#[derive(Debug, clap::Args)]
struct Change {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

/// Which messages; every dimension that is given narrows it, none means everything.
#[derive(Debug, clap::Args)]
struct ScopeArguments {
    /// A campaign or a flow.
    #[arg(long)]
    campaign: Option<String>,
    #[arg(long)]
    category: Option<String>,
    #[arg(long)]
    group: Option<String>,
    #[arg(long, value_parser = words::channel)]
    channel: Option<Channel>,
}

impl ScopeArguments {
    fn scope(&self) -> Scope {
        Scope {
            campaign: self.campaign.clone(),
            category: self.category.clone(),
            group: self.group.clone(),
            channel: self.channel,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Unsubscribe {
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    scope: ScopeArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resubscribe {
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    scope: ScopeArguments,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Dismiss {
    #[command(flatten)]
    change: Change,
    /// The campaign or flow that the customer is not interested in.
    #[arg(long)]
    campaign: String,
    /// Lets the campaign write again.
    #[arg(long)]
    withdraw: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetSwitch {
    #[command(flatten)]
    change: Change,
    /// `email`, `sms`, `push`, or `outbound` for all of them.
    #[arg(value_name = "CHANNEL", value_parser = words::switch)]
    switch: Switch,
    /// `on` or `off`.
    #[arg(value_name = "STATE", action = ArgAction::Set, value_parser = words::on_or_off)]
    on: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetConsent {
    #[command(flatten)]
    change: Change,
    #[arg(value_parser = words::channel)]
    channel: Channel,
    /// `opted-in`, `subscribed` (neither given nor refused) or `unsubscribed`.
    #[arg(value_parser = words::consent)]
    consent: Consent,
}

/// A change with the words and the facts that report it.
struct Done {
    changed: bool,
    words: String,
    facts: Value,
}

impl Done {
    fn say(mut self, change: &Change) -> anyhow::Result<Exit> {
        let id = &change.id;
        match change.format.format {
            Format::Text if self.changed => output::facts(&format!("{id}: {}\n", self.words))?,
            Format::Text => output::facts(&format!("{id}: {} already\n", self.words))?,
            Format::Json => {
                self.facts["customer"] = json!(id);
                self.facts["changed"] = json!(self.changed);
                output::json(&self.facts)?;
            }
        }
        Ok(Exit::Done)
    }
}

pub(crate) fn unsubscribe(place: &Place, arguments: &Unsubscribe) -> anyhow::Result<Exit> {
    let (change, scope) = (&arguments.change, arguments.scope.scope());
    session::run(place, async |session| {
        let by = change.actor.by(&session.settings, Source::CommandLine);
        let (revision, at) = (&session.published.revision, session.clock.now());
        let changed =
            subscriptions::unsubscribe(&session.store, revision, &change.id, &scope, &by, at);
        let done = Done {
            changed: changed.await?,
            words: format!("unsubscribed from {}", words::scope(&scope)),
            facts: json!({ "scope": scope }),
        };
        done.say(change)
    })
}

pub(crate) fn resubscribe(place: &Place, arguments: &Resubscribe) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        resubscribe_on(session, arguments).await
    })
}

async fn resubscribe_on(session: &Session, arguments: &Resubscribe) -> anyhow::Result<Exit> {
    let (change, scope) = (&arguments.change, arguments.scope.scope());
    let (store, revision) = (&session.store, &session.published.revision);
    let plan = subscriptions::plan_resubscription(store, revision, &change.id, &scope).await?;
    let wish = format!("resubscribe {} to {}", change.id, words::scope(&scope));
    if !plan.flips.is_empty() && !arguments.confirmation.is_given(&wish)? {
        return Ok(Exit::No);
    }
    let by = change.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let answer = subscriptions::resubscribe(store, revision, &change.id, &scope, &by, at).await?;
    let done = Done {
        changed: !answer.flips.is_empty(),
        words: resubscribed(&scope, &answer),
        facts: json!({
            "scope": scope,
            "resubscribed": answer.flips,
            "still_blocked_by": answer.still_blocked_by,
        }),
    };
    match change.format.format {
        // "Already" would be wrong of somebody whom a broader record still blocks.
        Format::Text => {
            output::facts(&format!("{}: {}\n", change.id, done.words))?;
            Ok(Exit::Done)
        }
        Format::Json => done.say(change),
    }
}

fn resubscribed(scope: &Scope, answer: &Resubscription) -> String {
    let mut text = if answer.flips.is_empty() {
        format!("no unsubscription from {} to undo", words::scope(scope))
    } else {
        let records: Vec<String> = answer.flips.iter().map(words::scope).collect();
        format!("resubscribed to {}", records.join("; "))
    };
    for blocking in &answer.still_blocked_by {
        text.push_str("\n  still blocked: unsubscribed from ");
        text.push_str(&words::scope(blocking));
    }
    text
}

pub(crate) fn dismiss(place: &Place, arguments: &Dismiss) -> anyhow::Result<Exit> {
    let (change, campaign) = (&arguments.change, arguments.campaign.as_str());
    session::run(place, async |session| {
        let by = change.actor.by(&session.settings, Source::CommandLine);
        let (store, id, at) = (&session.store, change.id.as_str(), session.clock.now());
        let revision = &session.published.revision;
        let (changed, words) = if arguments.withdraw {
            let done = subscriptions::withdraw_dismissal(store, revision, id, campaign, &by, at);
            (done.await?, format!("open to {campaign}"))
        } else {
            let done = subscriptions::dismiss(store, revision, id, campaign, &by, at);
            (done.await?, format!("not interested in {campaign}"))
        };
        let facts = json!({ "campaign": campaign, "dismissed": !arguments.withdraw });
        let done = Done {
            changed,
            words,
            facts,
        };
        done.say(change)
    })
}

pub(crate) fn switch(place: &Place, arguments: &SetSwitch) -> anyhow::Result<Exit> {
    let (change, switch, on) = (&arguments.change, arguments.switch, arguments.on);
    session::run(place, async |session| {
        let by = change.actor.by(&session.settings, Source::CommandLine);
        let at = session.clock.now();
        let changed =
            subscriptions::set_switch(&session.store, &change.id, switch, on, &by, at).await?;
        let done = Done {
            changed,
            words: format!("{} {}", switch.as_str(), if on { "on" } else { "off" }),
            facts: json!({ "switch": switch.as_str(), "on": on }),
        };
        done.say(change)
    })
}

pub(crate) fn consent(place: &Place, arguments: &SetConsent) -> anyhow::Result<Exit> {
    let (change, channel, consent) = (&arguments.change, arguments.channel, arguments.consent);
    session::run(place, async |session| {
        let by = change.actor.by(&session.settings, Source::CommandLine);
        let at = session.clock.now();
        let store = &session.store;
        let changed = subscriptions::set_consent(store, &change.id, channel, consent, &by, at);
        let done = Done {
            changed: changed.await?,
            words: format!("{channel} {}", consent.as_str()),
            facts: json!({ "channel": channel, "consent": consent }),
        };
        done.say(change)
    })
}
