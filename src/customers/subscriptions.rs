//! Owns what customers give up and take back: every change names who made it and by which way.

use jiff::Timestamp;

use super::error::Error;
use super::names;
use super::profiles::id_of;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::domain::subscription::{self, Consent, Resubscription, Scope};
use crate::store::Store;

/// Gives up the messages of a scope. `false`: they were given up before, and nothing is written.
pub async fn unsubscribe(
    store: &Store,
    revision: &Revision,
    customer: &str,
    scope: &Scope,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = asked(store, revision, customer, scope).await?;
    Ok(store.unsubscribe(id, scope, by, at).await?)
}

/// Takes the messages of a scope back: records equal to it or within it become resubscribed. The
/// answer names the broader ones, which stand and still block.
pub async fn resubscribe(
    store: &Store,
    revision: &Revision,
    customer: &str,
    scope: &Scope,
    by: &By,
    at: Timestamp,
) -> Result<Resubscription, Error> {
    let id = asked(store, revision, customer, scope).await?;
    Ok(store.resubscribe(id, scope, by, at).await?)
}

/// What resubscribing would do, for a person to confirm.
pub async fn plan_resubscription(
    store: &Store,
    revision: &Revision,
    customer: &str,
    scope: &Scope,
) -> Result<Resubscription, Error> {
    let id = asked(store, revision, customer, scope).await?;
    let records = store.subscriptions_of(&[id]).await?.remove(&id);
    Ok(subscription::resubscribe(
        &records.unwrap_or_default(),
        scope,
    ))
}

/// The customer, when the scope names what there is.
async fn asked(
    store: &Store,
    revision: &Revision,
    customer: &str,
    scope: &Scope,
) -> Result<CustomerId, Error> {
    names::check_scope(revision, scope)?;
    id_of(store, customer).await
}

/// "Not interested": stops one campaign (a flow is one) and ends its live enrollment; no opt-out.
pub async fn dismiss(
    store: &Store,
    revision: &Revision,
    customer: &str,
    campaign: &str,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    names::check_campaign(revision, campaign)?;
    let id = id_of(store, customer).await?;
    Ok(store.dismiss(id, campaign, by, at).await?)
}

/// Lets a dismissed campaign write again.
pub async fn withdraw_dismissal(
    store: &Store,
    revision: &Revision,
    customer: &str,
    campaign: &str,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    names::check_campaign(revision, campaign)?;
    let id = id_of(store, customer).await?;
    Ok(store.withdraw_dismissal(id, campaign, by, at).await?)
}

/// Turns one channel, or everything outbound, on or off. Consent is untouched.
pub async fn set_switch(
    store: &Store,
    customer: &str,
    switch: Switch,
    on: bool,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.set_switch(id, switch, on, by, at).await?)
}

/// Records the customer's permission for one channel.
pub async fn set_consent(
    store: &Store,
    customer: &str,
    channel: Channel,
    consent: Consent,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.set_consent(id, channel, consent, by, at).await?)
}
