//! Owns `/flows`: which there are, what they have done, and pausing and resuming them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead, OperationsRead, OperationsWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::customers::names;
use crate::customers::remarks::remark;
use crate::domain::channel::Channel;
use crate::domain::flow::Flow;
use crate::domain::revision::NameKind;
use crate::engine::flow_report::FlowReport;
use crate::engine::pause::{self, Target};
use crate::engine::picture::standing;
use crate::engine::status::PauseFacts;
use crate::store::{FlowState, Published};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowsPage {
    flows: Vec<FlowFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A flow as its file says it, and whether it runs.
#[derive(Debug, Serialize, ToSchema)]
struct FlowFacts {
    #[schema(example = "new-member-onboarding")]
    flow: String,
    name: String,
    category: Option<String>,
    group: Option<String>,
    /// The segment whose members enter.
    segment: String,
    /// `active`, `draft`, `paused`, `resuming` or `stopped`.
    #[schema(example = "active")]
    status: &'static str,
    paused: Option<PauseFacts>,
    steps: Vec<StepFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
struct StepFacts {
    #[schema(example = "welcome")]
    step: String,
    /// None for a waiting place.
    channel: Option<Channel>,
    /// When it comes, as the file says it: how long after the step before, or by which day.
    #[schema(example = "4d")]
    after: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseInput {
    /// Why, for the record.
    #[schema(max_length = 1000, example = "the offer is being checked")]
    reason: Option<String>,
}

/// What a pause or its end came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowChange {
    #[schema(example = "new-member-onboarding")]
    flow: String,
    /// Whether it was different before.
    changed: bool,
}

/// Flows, page by page
///
/// All that the current revision has, by id.
#[utoipa::path(
    get, path = "/flows", tag = "definitions", params(PageQuery),
    responses((status = 200, body = FlowsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<FlowsPage>, Problem> {
    let published = state.daemon.published();
    let states = state.store.flow_states().await?;
    let facts = |flow: &Flow| {
        let number = published.numbers.number(NameKind::Flow, &flow.id);
        facts(flow, number.and_then(|number| states.get(&number)))
    };
    let all = published.revision.flows.values().collect();
    let (flows, next) = paging.part_of(all, |_, flow: &&Flow| flow.id.clone())?;
    let flows = flows.into_iter().map(facts).collect();
    Ok(paging.page(next, |next| FlowsPage { flows, next }))
}

fn facts(flow: &Flow, state: Option<&FlowState>) -> FlowFacts {
    let pause = state.and_then(|state| state.pause.as_ref());
    FlowFacts {
        flow: flow.id.clone(),
        name: flow.name.clone(),
        category: flow.category.clone(),
        group: flow.group.clone(),
        segment: flow.segment.clone(),
        status: standing(flow, state),
        paused: pause.map(PauseFacts::of),
        steps: flow
            .steps
            .iter()
            .map(|step| StepFacts {
                step: step.id.clone(),
                channel: step.channels().next(),
                after: step.when.to_string(),
            })
            .collect(),
    }
}

/// What a flow has done
///
/// Step by step, since it began: how far customers came, what became of the messages, who opened, clicked and
/// reached the goal, and how that compares with those who were held out. Counting takes a second or two on a
/// large store.
#[utoipa::path(
    get, path = "/flows/{id}/report", tag = "operations",
    params(("id" = String, Path, description = "The flow's id.")),
    responses((status = 200, body = FlowReport, description = "The report.")),
    security(("token" = ["operations:read"])),
)]
pub(super) async fn report(
    State(state): State<Arc<WebState>>,
    _: Caller<OperationsRead>,
    Named(id): Named,
) -> Result<Json<FlowReport>, Problem> {
    let published = state.daemon.published();
    let flow = names::flow(&published.revision, &id);
    let flow = flow.map_err(|unknown| Problem::not_found(unknown.to_string()))?;
    let now = state.clock.now();
    let report = FlowReport::read(&state.store, &published, flow, now).await?;
    Ok(Json(report))
}

/// Pause a flow
///
/// Nobody enters and nothing is sent until somebody resumes it; a reload of the files does not end it. The
/// body may be `{}`.
#[utoipa::path(
    post, path = "/flows/{id}/pause", tag = "operations", request_body = PauseInput,
    params(("id" = String, Path, description = "The flow's id.")),
    responses((status = 200, body = FlowChange, description = "Paused, or paused already.")),
    security(("token" = ["operations:write"])),
)]
pub(super) async fn pause(
    State(state): State<Arc<WebState>>,
    caller: Caller<OperationsWrite>,
    Named(id): Named,
    Body(input): Body<PauseInput>,
) -> Result<Json<FlowChange>, Problem> {
    let target = target(&state.daemon.published(), &id)?;
    let reason = remark("reason", input.reason.as_deref())?;
    let (by, at) = (caller.by(), state.clock.now());
    let changed = pause::pause(&state.store, &target, reason, &by, at).await?;
    Ok(Json(FlowChange { flow: id, changed }))
}

/// Resume a flow
///
/// Who qualified meanwhile enters.
#[utoipa::path(
    post, path = "/flows/{id}/resume", tag = "operations",
    params(("id" = String, Path, description = "The flow's id.")),
    responses((status = 200, body = FlowChange, description = "Resumed, or not paused.")),
    security(("token" = ["operations:write"])),
)]
pub(super) async fn resume(
    State(state): State<Arc<WebState>>,
    caller: Caller<OperationsWrite>,
    Named(id): Named,
) -> Result<Json<FlowChange>, Problem> {
    let target = target(&state.daemon.published(), &id)?;
    let (by, at) = (caller.by(), state.clock.now());
    let changed = pause::resume(&state.store, &target, &by, at).await?;
    Ok(Json(FlowChange { flow: id, changed }))
}

fn target(published: &Published, id: &str) -> Result<Target, Problem> {
    let flow = names::flow(&published.revision, id);
    let flow = flow.map_err(|unknown| Problem::not_found(unknown.to_string()))?;
    let number = published.numbers.number(NameKind::Flow, &flow.id);
    let number = number.ok_or_else(|| Problem::not_found(format!("`{id}` was never published")))?;
    Ok(Target::Flow(flow.id.clone(), number))
}
