//! Owns `drumbeat customer suspend`, `reactivate` and `discard`.

use serde_json::json;

use super::actor::ActorArgument;
use super::columns::counted;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::progress::Progress;
use super::session::Session;
use crate::customers::remarks::remark;
use crate::customers::statuses::{self, Changed};
use crate::domain::audit::Source;
use crate::domain::customer::Status;

#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    /// The customers' unique ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Why, for the record; it is shown with the customer.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Discard {
    #[command(flatten)]
    same: Suspend,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Reactivate {
    /// The customers' unique ids.
    #[arg(value_name = "ID", required_unless_present = "all_suspended")]
    ids: Vec<String>,
    /// Everybody who is suspended; who is discarded stays so.
    #[arg(long, conflicts_with = "ids")]
    all_suspended: bool,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn suspend(session: &Session, verb: &Suspend) -> anyhow::Result<Exit> {
    change(session, verb, Status::Suspended).await
}

pub(crate) async fn discard(session: &Session, verb: &Discard) -> anyhow::Result<Exit> {
    change(session, &verb.same, Status::Discarded).await
}

async fn change(session: &Session, verb: &Suspend, status: Status) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (store, at) = (&session.store, session.clock.now());
    let reason = remark("reason", verb.reason.as_deref())?;
    let changed = statuses::change(store, &verb.ids, status, reason, &by, at).await?;
    say(changed, status, verb.format.format)
}

pub(crate) async fn reactivate(session: &Session, verb: &Reactivate) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (store, clock) = (&session.store, session.clock.as_ref());
    let changed = if verb.all_suspended {
        let progress = Progress::new();
        let watch = |seen: statuses::Progress| {
            let words = format!("{} reactivated", counted(seen.changed));
            progress.at(u64::from(seen.buckets), u64::from(seen.of), words);
        };
        let changed = statuses::reactivate_all(store, &by, clock, &watch).await;
        progress.clear();
        changed?
    } else {
        statuses::change(store, &verb.ids, Status::Active, None, &by, clock.now()).await?
    };
    say(changed, Status::Active, verb.format.format)
}

fn say(changed: Changed, status: Status, format: Format) -> anyhow::Result<Exit> {
    match format {
        Format::Text => {
            let what = status.as_str();
            let now = counted(changed.changed);
            let mut text = format!("{now} now {what}\n");
            if changed.unchanged > 0 {
                text = format!("{now} now {what}, {} before\n", counted(changed.unchanged));
            }
            output::facts(&text)?;
        }
        Format::Json => output::json(&json!({
            "status": status,
            "changed": changed.changed,
            "unchanged": changed.unchanged,
        }))?,
    }
    Ok(Exit::Done)
}
