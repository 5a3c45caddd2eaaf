//! Owns `drumbeat pause` and `drumbeat resume`: of a flow, a channel, or everything; each is audited.

use clap::ArgGroup;
use serde_json::{Value, json};

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::session::{self, Session};
use super::{output, words};
use crate::customers::names::{self, UnknownName};
use crate::customers::remarks::remark;
use crate::domain::audit::Source;
use crate::domain::channel::Channel;
use crate::domain::flow::Flow;
use crate::domain::revision::NameKind;
use crate::engine::pause;
use crate::store::Published;

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["flow", "channel", "all"]))]
struct Target {
    /// The flow.
    flow: Option<String>,
    /// A channel: its messages wait, whichever flow they are of.
    #[arg(long, value_parser = words::channel)]
    channel: Option<Channel>,
    /// Every flow and every channel: a flow that is published meanwhile sends nothing either.
    #[arg(long)]
    all: bool,
}

impl Target {
    fn channels(&self) -> Vec<Channel> {
        if self.all {
            return Channel::ALL.to_vec();
        }
        self.channel.into_iter().collect()
    }
}

/// Stops claims and entries until `resume`; a reload does not end it.
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArguments {
    #[command(flatten)]
    target: Target,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

/// Lets what was paused go on; who qualified meanwhile enters.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

/// What was changed, or was so already.
struct Change {
    target: pause::Target,
    changed: bool,
}

pub(crate) fn pause(place: &Place, arguments: &PauseArguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let by = arguments.actor.by(&session.settings, Source::CommandLine);
        let (store, at) = (&session.store, session.clock.now());
        let reason = remark("reason", arguments.reason.as_deref())?;
        let mut changes = Vec::new();
        for target in targets(session, &arguments.target)? {
            let changed = pause::pause(store, &target, reason, &by, at).await?;
            changes.push(Change { target, changed });
        }
        say(
            arguments.format.format,
            ("paused", "paused already"),
            &changes,
        )
    })
}

pub(crate) fn resume(place: &Place, arguments: &ResumeArguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let by = arguments.actor.by(&session.settings, Source::CommandLine);
        let (store, at) = (&session.store, session.clock.now());
        let mut changes = Vec::new();
        for target in targets(session, &arguments.target)? {
            let changed = pause::resume(store, &target, &by, at).await?;
            changes.push(Change { target, changed });
        }
        say(arguments.format.format, ("resumed", "not paused"), &changes)
    })
}

/// What is meant, channels first. `--all` leaves out flows that were never published.
fn targets(session: &Session, target: &Target) -> Result<Vec<pause::Target>, UnknownName> {
    let Published {
        revision, numbers, ..
    } = &session.published;
    let flows: Vec<&Flow> = match &target.flow {
        Some(flow) => vec![names::flow(revision, flow)?],
        None if target.all => revision.flows.values().collect(),
        None => Vec::new(),
    };
    let flows = flows.into_iter().filter_map(|flow| {
        let number = numbers.number(NameKind::Flow, &flow.id)?;
        Some(pause::Target::Flow(flow.id.clone(), number))
    });
    let channels = target.channels().into_iter().map(pause::Target::Channel);
    Ok(channels.chain(flows).collect())
}

fn say(format: Format, (done, already): (&str, &str), changes: &[Change]) -> anyhow::Result<Exit> {
    match format {
        Format::Json => {
            let changes: Vec<Value> = changes.iter().map(facts).collect();
            output::json(&json!({ "changes": changes }))?;
        }
        Format::Text => {
            for change in changes {
                let (kind, name) = (change.target.kind(), change.target.name());
                let what = if change.changed { done } else { already };
                output::facts(&format!("{kind} {name}: {what}\n"))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn facts(change: &Change) -> Value {
    json!({ change.target.kind(): change.target.name(), "changed": change.changed })
}
