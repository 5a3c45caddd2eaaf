//! Owns `drumbeat approve`: agrees to a revision that would newly let in many customers; audited.

use serde_json::json;

use super::actor::ActorArgument;
use super::awaiting;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::reload::{answer, say};
use super::session::{self, Session};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::approval::Awaiting;
use crate::domain::audit::Source;
use crate::domain::ids::RevisionNo;

/// Agrees to a revision that waits because of `policy.approval`: the daemon puts it in force at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its number: `drumbeat status` shows it, with whom it would newly let in.
    revision: i32,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let by = arguments.actor.by(&session.settings, Source::CommandLine);
        let (store, at) = (&session.store, session.clock.now());
        // Checks are noted in machine time.
        let asked_at = SystemClock.machine();
        let revision = RevisionNo(arguments.revision);
        let format = arguments.format.format;
        let Some(approved) = store.approve(revision, &by, at, asked_at).await? else {
            return refuse(session, revision).await;
        };
        if store.owner().await?.is_none() {
            return approved_for_later(format, &approved);
        }
        let check = answer(session, asked_at).await?;
        say(session, format, &check).await
    })
}

async fn refuse(session: &Session, revision: RevisionNo) -> anyhow::Result<Exit> {
    let number = revision.0;
    let why = match session.store.awaiting().await? {
        Some(other) => awaiting::words(&other),
        None => "none does".to_owned(),
    };
    output::problem(&format!(
        "revision {number} does not wait for approval: {why}"
    ));
    Ok(Exit::No)
}

fn approved_for_later(format: Format, approved: &Awaiting) -> anyhow::Result<Exit> {
    let number = approved.revision.0;
    match format {
        Format::Json => output::json(&json!({ "approved": number, "in_force": false }))?,
        Format::Text => output::facts(&format!(
            "revision {number} is approved: it is in force once `drumbeat run` reads the same files\n"
        ))?,
    }
    Ok(Exit::Done)
}
