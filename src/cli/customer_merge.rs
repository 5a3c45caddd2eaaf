//! Owns `drumbeat customer add` and `merge`.

use serde_json::json;

use super::actor::ActorArgument;
use super::confirm::Confirmation;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::session::Session;
use super::{output, words};
use crate::customers::{merging, profiles};
use crate::domain::audit::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The customer's unique id.
    id: String,
    #[arg(value_name = "FIELD=VALUE", value_parser = words::written_field)]
    fields: Vec<(String, String)>,
    /// A visitor of whom nobody knows yet who they are: never written to.
    #[arg(long)]
    anonymous: bool,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The anonymous visitor's id; it leads to the customer afterwards.
    from: String,
    /// The customer's unique id.
    into: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn add(session: &Session, verb: &Add) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    if store.customer_id(&verb.id).await?.is_some() {
        let id = &verb.id;
        output::problem(&format!(
            "there is a customer `{id}`: change it with `customer set {id}`"
        ));
        return Ok(Exit::No);
    }
    if verb.anonymous {
        merging::add_anonymous(store, revision, &verb.id, &verb.fields, &by, at).await?;
    } else {
        profiles::add(store, revision, &verb.id, &verb.fields, &by, at).await?;
    }
    let customer = profiles::customer(store, revision, &verb.id).await?;
    match verb.format.format {
        Format::Text => {
            let status = customer.status.as_str();
            let reason = customer.status_reason.map(|reason| format!(": {reason}"));
            let reason = reason.unwrap_or_default();
            output::facts(&format!("{}: added, {status}{reason}\n", verb.id))?;
        }
        Format::Json => output::json(&json!({
            "customer": verb.id,
            "created": true,
            "identified": customer.identified,
            "status": customer.status,
            "status_reason": customer.status_reason,
        }))?,
    }
    Ok(Exit::Done)
}

pub(crate) async fn merge(session: &Session, verb: &Merge) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let (from, into) = (&verb.from, &verb.into);
    if !verb
        .confirmation
        .is_given(&format!("make {from} part of {into} for good"))?
    {
        return Ok(Exit::No);
    }
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    merging::merge(store, revision, from, into, &by, session.clock.now()).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("{from}: part of {into} now\n"))?,
        Format::Json => output::json(&json!({ "from": from, "into": into, "merged": true }))?,
    }
    Ok(Exit::Done)
}
