//! Owns a customer's switches and consents: `/customers/{id}/switches` and `…/consents`, whole each time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersWrite};
use super::precondition::IfMatch;
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::domain::channel::Channel;
use crate::domain::customer::{Consents, Switch, Switches};
use crate::domain::subscription::Consent;
use crate::web::state::WebState;

/// All four switches. They are the bank's: consent is untouched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four switches are four bools"
)]
pub(super) struct SwitchesInput {
    /// Whether anything is sent at all.
    outbound: bool,
    email: bool,
    sms: bool,
    push: bool,
}

/// The customer's permission for each channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsentsInput {
    email: Consent,
    sms: Consent,
    push: Consent,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SwitchesChange {
    /// The customer's unique id.
    #[schema(example = "ana")]
    customer: String,
    /// Whether any stood differently before.
    changed: bool,
    switches: Switches,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentsChange {
    /// The customer's unique id.
    #[schema(example = "ana")]
    customer: String,
    /// Whether any was different before.
    changed: bool,
    consents: Consents,
}

/// Set a customer's switches
///
/// All four at once; each that changes is a line of the history. With `If-Match` only while the customer
/// is as it was read.
#[utoipa::path(
    put, path = "/customers/{id}/switches", tag = "consent", request_body = SwitchesInput,
    params(("id" = String, Path, description = "The unique id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the customer as it was read.")),
    responses((status = 200, body = SwitchesChange, description = "They stand so.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn set_switches(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    condition: IfMatch,
    Body(input): Body<SwitchesInput>,
) -> Result<Json<SwitchesChange>, Problem> {
    let wanted = [
        (Switch::Outbound, input.outbound),
        (Switch::Channel(Channel::Email), input.email),
        (Switch::Channel(Channel::Sms), input.sms),
        (Switch::Channel(Channel::Push), input.push),
    ];
    let changed = set(&state, &caller, &condition, &customer, &wanted, &[]).await?;
    let stand = wanted.iter();
    let switches = stand.fold(Switches::default(), |all, (switch, on)| {
        all.with(*switch, *on)
    });
    Ok(Json(SwitchesChange {
        customer,
        changed,
        switches,
    }))
}

/// Set a customer's consents
///
/// All three at once; each that changes is a line of the history. With `If-Match` only while the customer
/// is as it was read.
#[utoipa::path(
    put, path = "/customers/{id}/consents", tag = "consent", request_body = ConsentsInput,
    params(("id" = String, Path, description = "The unique id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the customer as it was read.")),
    responses((status = 200, body = ConsentsChange, description = "They are so.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn set_consents(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    condition: IfMatch,
    Body(input): Body<ConsentsInput>,
) -> Result<Json<ConsentsChange>, Problem> {
    let wanted = [
        (Channel::Email, input.email),
        (Channel::Sms, input.sms),
        (Channel::Push, input.push),
    ];
    let changed = set(&state, &caller, &condition, &customer, &[], &wanted).await?;
    let consents = Consents {
        email: input.email,
        sms: input.sms,
        push: input.push,
    };
    Ok(Json(ConsentsChange {
        customer,
        changed,
        consents,
    }))
}

async fn set(
    state: &WebState,
    caller: &Caller<CustomersWrite>,
    condition: &IfMatch,
    customer: &str,
    switches: &[(Switch, bool)],
    consents: &[(Channel, Consent)],
) -> Result<bool, Problem> {
    let published = state.daemon.published();
    let by = caller.by();
    let edit = condition.edit(state, &published.revision, &by);
    let changed = edit.set_permissions(customer, switches, consents).await;
    changed.map_err(|error| condition.told(error))
}
