//! Owns `drumbeat customer device`.

use anyhow::Context as _;
use clap::Subcommand;
use jiff::tz::TimeZone;
use serde_json::json;

use super::actor::ActorArgument;
use super::columns::aligned;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::session::Session;
use crate::customers::devices::{self, DeviceFacts, WrittenDevice};
use crate::domain::audit::Source;
use crate::domain::device;

#[derive(Debug, clap::Args)]
pub(crate) struct Device {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Registers a device; whoever had its token has it no more.
    Register(Register),
    /// The devices of a customer, those registered last first.
    List(List),
    /// Removes a device by its number.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Register {
    /// The customer's unique id.
    id: String,
    /// As the API takes it, such as `{"kind": "fcm", "token": "…"}`.
    device: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The customer's unique id.
    id: String,
    /// The device's number.
    device: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(session: &Session, device: &Device) -> anyhow::Result<Exit> {
    match &device.verb {
        Verb::Register(verb) => register(session, verb).await,
        Verb::List(verb) => list(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
    }
}

async fn register(session: &Session, verb: &Register) -> anyhow::Result<Exit> {
    let written: WrittenDevice = serde_json::from_str(&verb.device)
        .context("the device cannot be read: docs/push.md shows how one is written")?;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let registered = devices::register(&session.store, &verb.id, written, &by, at).await?;
    let number = registered.number;
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: device {number} registered\n", verb.id))?,
        Format::Json => output::json(&json!({ "customer": verb.id, "device": number }))?,
    }
    Ok(Exit::Done)
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let found = devices::list(&session.store, &verb.id).await?;
    match verb.format.format {
        Format::Text => {
            let zone = session.published.revision.time_zone();
            output::facts(&lines(&found, &zone))?;
        }
        Format::Json => {
            let found: Vec<_> = found.iter().map(DeviceFacts::of).collect();
            output::json(&json!({ "devices": found }))?;
        }
    }
    Ok(Exit::Done)
}

fn lines(devices: &[device::Device], zone: &TimeZone) -> String {
    let rows = devices.iter().map(|device| {
        let at = device.registered_at.to_zoned(zone.clone());
        [
            device.number.to_string(),
            device.address.kind().as_str().to_owned(),
            device.address.hint(),
            at.strftime("%Y-%m-%d %H:%M").to_string(),
            device.app.clone().unwrap_or_default(),
        ]
    });
    aligned(2, &rows.collect::<Vec<_>>())
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let (id, number) = (&verb.id, verb.device);
    if !devices::remove(&session.store, id, number, &by, at).await? {
        output::problem(&format!(
            "`{id}` has no device {number}: see `customer device list {id}`"
        ));
        return Ok(Exit::No);
    }
    match verb.format.format {
        Format::Text => output::facts(&format!("{id}: device {number} removed\n"))?,
        Format::Json => {
            output::json(&json!({ "customer": id, "device": number, "removed": true }))?;
        }
    }
    Ok(Exit::Done)
}
