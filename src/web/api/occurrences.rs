//! Owns `POST /interactions` and `POST /identify`: what customers did, told by other systems.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::auth::{Caller, InteractionsWrite};
use super::problem::{FieldError, Problem};
use super::reading::Body;
use crate::customers::identifying::{Identified, identify};
use crate::customers::occurrence_form;
use crate::customers::occurrence_reading::{Flaw, Reader};
use crate::customers::occurrences::{Outcome, Recording};
use crate::web::state::WebState;

const MOST: usize = 1000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InteractionsInput {
    /// Up to 1,000. One that is not valid is answered so, and the others are recorded without it.
    #[schema(max_items = 1000, value_type = Vec<InteractionEntry>)]
    interactions: Vec<Box<RawValue>>,
}

/// What is described elsewhere, because whatever else is written is answered as well.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(dead_code, reason = "it describes what is read")]
pub(super) struct InteractionEntry(occurrence_form::WrittenOccurrence);

/// What became of a batch.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct InteractionsResult {
    read: u64,
    recorded: u64,
    duplicate: u64,
    unknown_customer: u64,
    invalid: u64,
    /// One for each interaction, in their order.
    results: Vec<InteractionResult>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InteractionResult {
    outcome: OutcomeName,
    /// Why it was not recorded; places are JSON pointers within the interaction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum OutcomeName {
    Recorded,
    Duplicate,
    UnknownCustomer,
    Invalid,
}

/// Record what customers did
///
/// Up to 1,000 at once, in a body of up to 8 MiB: what customers did on your pages, in your app, at your
/// shops. Each has its result, and what is wrong stops nobody else. Sent again with the same id for the
/// same customer it is a duplicate, and nothing is done twice.
#[utoipa::path(
    post, path = "/interactions", tag = "interactions", request_body = InteractionsInput,
    responses((status = 200, body = InteractionsResult, description = "What became of each.")),
    security(("token" = ["interactions:write"])),
)]
pub(super) async fn record(
    State(state): State<Arc<WebState>>,
    caller: Caller<InteractionsWrite>,
    Body(input): Body<InteractionsInput>,
) -> Result<Json<InteractionsResult>, Problem> {
    if input.interactions.len() > MOST {
        let told = format!("holds {}: {MOST} at most", input.interactions.len());
        return Err(Problem::field("/interactions", told));
    }
    let published = state.daemon.published();
    let (by, now) = (caller.by(), state.clock.now());
    let reader = Reader {
        revision: &published.revision,
        by: &by,
        now,
    };
    let read = input.interactions.iter().map(|text| {
        let written = occurrence_form::parse(text);
        let written = written.map_err(|(pointer, reason)| vec![Flaw::new(pointer, reason)])?;
        reader.read(written)
    });
    let recording = Recording {
        store: &state.store,
        revision: &published.revision,
        by: &by,
        now,
        is_trial: false,
    };
    let mut result = InteractionsResult::default();
    for outcome in recording.record(read.collect()).await? {
        result.add(outcome);
    }
    Ok(Json(result))
}

impl InteractionsResult {
    fn add(&mut self, outcome: Outcome) {
        let (outcome, errors) = match outcome {
            Outcome::Recorded => (OutcomeName::Recorded, Vec::new()),
            Outcome::Duplicate => (OutcomeName::Duplicate, Vec::new()),
            Outcome::UnknownCustomer(why) => {
                (OutcomeName::UnknownCustomer, vec![FieldError::new("", why)])
            }
            Outcome::Invalid(flaws) => {
                let error = |flaw: Flaw| FieldError::new(flaw.pointer, flaw.reason);
                (OutcomeName::Invalid, flaws.into_iter().map(error).collect())
            }
        };
        self.read += 1;
        *match outcome {
            OutcomeName::Recorded => &mut self.recorded,
            OutcomeName::Duplicate => &mut self.duplicate,
            OutcomeName::UnknownCustomer => &mut self.unknown_customer,
            OutcomeName::Invalid => &mut self.invalid,
        } += 1;
        self.results.push(InteractionResult { outcome, errors });
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentifyInput {
    /// The unique id under which they were seen.
    #[schema(example = "v-4f1c", min_length = 1, max_length = 255)]
    visitor: String,
    /// The unique id of the customer; a new one is added.
    #[schema(example = "ana", min_length = 1, max_length = 255)]
    customer: String,
}

/// Say who a visitor is
///
/// The visitor becomes part of the customer, who is added when they are new: their histories are one from
/// then on, and what is told of the visitor later goes there as well. A visitor who turned out to be
/// somebody else before is a 409: take a new id.
#[utoipa::path(
    post, path = "/identify", tag = "interactions", request_body = IdentifyInput,
    responses((status = 200, body = Identified, description = "They are one.")),
    security(("token" = ["interactions:write"])),
)]
pub(super) async fn say_who(
    State(state): State<Arc<WebState>>,
    caller: Caller<InteractionsWrite>,
    Body(input): Body<IdentifyInput>,
) -> Result<Json<Identified>, Problem> {
    let published = state.daemon.published();
    let who = (input.visitor.as_str(), input.customer.as_str());
    let (by, now) = (caller.by(), state.clock.now());
    let identified = identify(&state.store, &published.revision, who, &by, now).await;
    Ok(Json(identified?))
}
