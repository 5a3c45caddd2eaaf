//! Owns sending one communication to one customer because a person says so: through the same gate, channel
//! and ledger as a step of a flow.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::catalog::Catalog;
use super::explain::{StepTold, explain};
use crate::domain::audit::By;
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::flow::{Flow, Reuse};
use crate::domain::ids::DispatchId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::revision::NameKind;
use crate::store::{ByHand, Error, Result, Store};

/// What was asked for, and how it stands right after.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Asked {
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub customer: String,
    #[schema(example = "gold-card/offer")]
    pub communication: String,
    pub channel: Channel,
    /// The dispatch that it will be: the gateway's key, and the message's id.
    #[schema(example = "019c2f3e-0000-8000-8000-000000000001")]
    pub dispatch: String,
    /// What the gate would say now; the gate has the last word when the message is taken up.
    pub message: Option<StepTold>,
}

/// Lets the engine send a communication to a customer as soon as the gate lets it.
///
/// # Errors
/// [`Error::NotFound`] for a communication that the running revision does not have.
pub async fn send(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    sends: &Reuse,
    (by, now): (&By, Timestamp),
) -> Result<Asked> {
    let id = by_hand::flow_id(&sends.campaign, &sends.communication);
    let missing = || Error::NotFound(format!("the communication `{id}`"));
    let what = entrance(catalog, &id).ok_or_else(missing)?;
    let plan = catalog.plan(what.flow).ok_or_else(missing)?;
    let channel = what.lane.channel().ok_or_else(missing)?;
    let line = line(customer, sends, channel, (by, now));
    let enrollment = store.send_by_hand(what, &line).await?;
    Ok(Asked {
        customer: customer.external_id.clone(),
        communication: id,
        channel,
        dispatch: DispatchId::new(store.instance_tag().await?, enrollment, what.step).to_string(),
        message: told(store, catalog, customer, &plan.flow, now).await?,
    })
}

/// Where somebody enters the flow of this id; none: the running revision does not have it.
pub(super) fn entrance(catalog: &Catalog, id: &str) -> Option<ByHand> {
    let number = catalog.published.numbers.number(NameKind::Flow, id)?;
    let plan = catalog.plan(number)?;
    let (step, lane) = plan.entrance()?;
    Some(ByHand {
        flow: plan.number,
        step,
        lane,
        revision: catalog.number(),
    })
}

async fn told(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    flow: &Flow,
    now: Timestamp,
) -> Result<Option<StepTold>> {
    let explanation = explain(store, catalog, customer, flow, now).await?;
    Ok(explanation.steps.into_iter().next())
}

fn line(
    customer: &Customer,
    sends: &Reuse,
    channel: Channel,
    (by, now): (&By, Timestamp),
) -> Interaction {
    Interaction {
        channel: Some(channel),
        campaign: Some(sends.campaign.clone()),
        actor: Some(by.actor.as_str().to_owned()),
        detail: Some(json!({
            "communication": sends.communication,
            "source": by.source,
            "note": by.note,
        })),
        ..Interaction::new(customer.id, now, Kind::SendAsked)
    }
}
