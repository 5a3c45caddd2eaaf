//! Owns `drumbeat pause` and `drumbeat resume`: of a flow, a channel, or everything; each is audited.

use clap::ArgGroup;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::session::{self, Session};
use super::{output, words};
use crate::customers::names::UnknownName;
use crate::domain::audit::{By, Source};
use crate::domain::channel::Channel;
use crate::domain::ids::NameNo;
use crate::domain::revision::NameKind;
use crate::store::Pause;

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
    kind: &'static str,
    name: String,
    changed: bool,
}

pub(crate) fn pause(place: &Place, arguments: &PauseArguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let by = arguments.actor.by(&session.settings, Source::CommandLine);
        let at = session.clock.now();
        let pause = Pause {
            at,
            by: by.actor.to_string(),
            reason: arguments.reason.clone(),
        };
        let mut changes = Vec::new();
        for channel in arguments.target.channels() {
            let changed = session.store.pause_channel(channel, &pause).await?;
            changes.push(of_channel(channel, changed));
        }
        for (flow, number) in flows(session, &arguments.target)? {
            let changed = session.store.pause_flow(number, &pause).await?;
            changes.push(of_flow(flow, changed));
        }
        audit(
            session,
            &by,
            ("pause", arguments.reason.as_deref()),
            &changes,
            at,
        )
        .await?;
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
        let at = session.clock.now();
        let mut changes = Vec::new();
        for channel in arguments.target.channels() {
            let changed = session.store.resume_channel(channel).await?;
            changes.push(of_channel(channel, changed));
        }
        for (flow, number) in flows(session, &arguments.target)? {
            let changed = session.store.resume_flow(number, at).await?;
            changes.push(of_flow(flow, changed));
        }
        audit(session, &by, ("resume", None), &changes, at).await?;
        say(arguments.format.format, ("resumed", "not paused"), &changes)
    })
}

fn of_channel(channel: Channel, changed: bool) -> Change {
    Change {
        kind: "channel",
        name: channel.to_string(),
        changed,
    }
}

fn of_flow(name: String, changed: bool) -> Change {
    Change {
        kind: "flow",
        name,
        changed,
    }
}

/// The flows that are meant. `--all` leaves out those that do not run by their own file.
fn flows(session: &Session, target: &Target) -> Result<Vec<(String, NameNo)>, UnknownName> {
    let (flows, numbers) = (
        &session.published.revision.flows,
        &session.published.numbers,
    );
    let wanted: Vec<&String> = match &target.flow {
        Some(flow) => {
            let unknown = || UnknownName::new("flow", flow, flows.keys().map(String::as_str));
            vec![flows.get_key_value(flow).ok_or_else(unknown)?.0]
        }
        None if target.all => flows.keys().collect(),
        None => Vec::new(),
    };
    let numbered = wanted.into_iter().filter_map(|flow| {
        let number = numbers.number(NameKind::Flow, flow)?;
        Some((flow.clone(), number))
    });
    Ok(numbered.collect())
}

async fn audit(
    session: &Session,
    by: &By,
    (what, reason): (&str, Option<&str>),
    changes: &[Change],
    at: Timestamp,
) -> anyhow::Result<()> {
    for change in changes.iter().filter(|change| change.changed) {
        let mut detail = json!({ change.kind: change.name });
        if let Some(reason) = reason {
            detail["reason"] = json!(reason);
        }
        let detail = detail.to_string();
        session.store.audit(by, what, Some(&detail), at).await?;
    }
    Ok(())
}

fn say(format: Format, (done, already): (&str, &str), changes: &[Change]) -> anyhow::Result<Exit> {
    match format {
        Format::Json => {
            let changes: Vec<Value> = changes.iter().map(facts).collect();
            output::json(&json!({ "changes": changes }))?;
        }
        Format::Text => {
            for change in changes {
                let Change {
                    kind,
                    name,
                    changed,
                } = change;
                let what = if *changed { done } else { already };
                output::facts(&format!("{kind} {name}: {what}\n"))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn facts(change: &Change) -> Value {
    json!({ change.kind: change.name, "changed": change.changed })
}
