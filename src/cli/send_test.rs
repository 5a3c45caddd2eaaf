//! Owns `drumbeat send-test`: a communication through the channel's own gateway, to an address that is named.

use serde_json::json;

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session;
use super::trials::{self, TrialArguments};
use crate::daemon::send_trial;
use crate::domain::audit::Source;
use crate::domain::dispatch::Outcome;
use crate::domain::message::Frozen;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    trial: TrialArguments,
    /// Where it goes: an e-mail address, a phone number, or what the push gateway knows a device by.
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

/// No consent, cap or quiet hour is asked, and no dispatch is written: the audit says who sent it where.
pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let made = trials::made(place, session, &arguments.trial).await?;
        let channel = made.rendered.channel();
        let frozen = Frozen {
            to: arguments.to.clone(),
            at: session.clock.machine(),
            rendered: made.rendered,
            origin: made.origin,
        };
        let by = arguments.actor.by(&session.settings, Source::CommandLine);
        let detail = json!({
            "communication": arguments.trial.communication,
            "channel": channel,
            "as": arguments.trial.customer,
            "to": arguments.to,
        });
        let detail = detail.to_string();
        let at = session.clock.now();
        session
            .store
            .audit(&by, "test message sent", Some(&detail), at)
            .await?;
        let with = (place.workspace.as_path(), Settings::from_process());
        let outcome = send_trial(with, &made.revision, frozen).await?;
        let (said, detail) = said(&outcome);
        match arguments.format.format {
            Format::Json => output::json(&json!({
                "channel": channel,
                "to": arguments.to,
                "outcome": said,
                "detail": detail,
            }))?,
            Format::Text => output::facts(&format!(
                "{channel} to {}: {said}: {detail}\n",
                arguments.to
            ))?,
        }
        Ok(match outcome {
            Outcome::Accepted { .. } => Exit::Done,
            _ => Exit::No,
        })
    })
}

fn said(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Accepted { detail, .. } => ("accepted", detail),
        Outcome::Deferred { detail, .. } => ("deferred", detail),
        Outcome::Refused { detail, .. } => ("refused", detail),
        Outcome::Uncertain { detail } => ("uncertain", detail),
    }
}
