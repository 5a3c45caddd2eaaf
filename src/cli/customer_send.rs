//! Owns `drumbeat customer send`: one communication to one customer, now.

use super::actor::ActorArgument;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::session::Session;
use crate::customers::{names, profiles};
use crate::domain::audit::Source;
use crate::engine::Catalog;
use crate::engine::by_hand;

#[derive(Debug, clap::Args)]
pub(crate) struct Send {
    /// The customer's unique id.
    id: String,
    /// The campaign and its communication, such as `gold-card/offer`.
    communication: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn send(session: &Session, verb: &Send) -> anyhow::Result<Exit> {
    let (store, published) = (&session.store, &session.published);
    let sends = names::communication(&published.revision, &verb.communication)?;
    let customer = profiles::customer(store, &published.revision, &verb.id).await?;
    let catalog = Catalog::new(published.clone(), Vec::new());
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = (&by, session.clock.now());
    let asked = by_hand::send(store, &catalog, &customer, &sends, at).await?;
    match verb.format.format {
        Format::Json => output::json(&serde_json::to_value(&asked)?)?,
        Format::Text => {
            let (channel, what) = (asked.channel, &asked.communication);
            let asked_for = format!("{what} by {channel} to {}: asked for", asked.customer);
            let why = asked.message.iter().flat_map(|message| &message.why);
            let lines: Vec<String> = why.map(|why| format!("  {why}")).collect();
            output::facts(&format!(
                "{}\n",
                [vec![asked_for], lines].concat().join("\n")
            ))?;
        }
    }
    Ok(Exit::Done)
}
