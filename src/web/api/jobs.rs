//! Owns `/jobs`: orders about many customers, queued, watched and cancelled.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::job_input::JobInput;
use super::made::address;
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use crate::customers::jobs::facts::{JobErrorFacts, JobFacts};
use crate::customers::jobs::queue;
use crate::domain::job::{Job, JobKind, JobNo, JobState};
use crate::store::JobFilter;
use crate::web::state::WebState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// What they do.
    #[param(inline)]
    kind: Option<JobKind>,
    /// How they stand.
    #[param(inline)]
    state: Option<JobState>,
    /// Who asked for them.
    actor: Option<String>,
    /// How many jobs are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NewJobQuery {
    /// Whether nothing is to be done, and only counted.
    #[serde(rename = "dry-run", default)]
    #[param(default = false)]
    dry_run: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobsPage {
    jobs: Vec<JobFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobErrorsPage {
    /// The first 1,000 failures at most; `failed` of the job counts all.
    errors: Vec<JobErrorFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// What a job would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobTrial {
    kind: JobKind,
    /// How many customers it would look at.
    customers: u64,
    /// How many of those who were named are not there.
    unknown: u64,
}

/// What asking a job to stop came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobCancelled {
    job: JobNo,
    /// Whether it was to go on before.
    changed: bool,
}

/// Jobs, page by page
///
/// The newest first. Filters narrow each other.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = JobsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<JobsQuery>,
) -> Result<Page<JobsPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor)?;
    let below: Option<i64> = paging.after()?;
    let filter = JobFilter {
        kind: query.kind,
        state: query.state,
        // Nobody is called so, and not every database could be asked for it.
        actor: query
            .actor
            .map(|actor| actor.replace(char::is_control, "\u{fffd}")),
    };
    let jobs = state
        .store
        .jobs(&filter, below.map(JobNo), paging.one_more());
    let mut jobs = jobs.await?;
    let last = |jobs: &[Job]| jobs.last().map(|job| job.number.0);
    let next = paging.cut(&mut jobs, last);
    let jobs = jobs.iter().map(JobFacts::of).collect();
    Ok(paging.page(next, |next| JobsPage { jobs, next }))
}

/// Queue a job
///
/// It is carried out in the background, page by page; what is done stays done when it is cancelled. With
/// `dry-run=true` nothing is queued, and the answer says how many customers it would look at.
#[utoipa::path(
    post, path = "/jobs", tag = "jobs", params(NewJobQuery), request_body = JobInput,
    responses(
        (status = 200, body = JobTrial, description = "Nothing is queued: a dry run."),
        (status = 202, body = JobFacts, description = "Queued.",
            headers(("Location" = String, description = "Where it can be watched."))),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn create(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Asked(query): Asked<NewJobQuery>,
    Body(input): Body<JobInput>,
) -> Result<Response, Problem> {
    let published = state.daemon.published();
    let store = &state.store;
    let (order, picked) = input.read(store, &published).await?;
    let (by, at) = (caller.by(), state.clock.now());
    if query.dry_run == Some(true) {
        let customers = queue::count(store, &published, &order.selection, &picked, at);
        let trial = JobTrial {
            kind: order.action.kind(),
            customers: customers.await?,
            unknown: picked.failures.len() as u64,
        };
        return Ok(Json(trial).into_response());
    }
    let job = queue::queue(store, &published, &order, &picked, (&by, at)).await?;
    let facts = JobFacts::of(&found(&state, job).await?);
    let location = [(LOCATION, address("jobs", &job.to_string()))];
    Ok((StatusCode::ACCEPTED, location, Json(facts)).into_response())
}

/// A job
///
/// How far it is, and what became of it.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The job's number.")),
    responses((status = 200, body = JobFacts, description = "The job.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
) -> Result<Json<JobFacts>, Problem> {
    let job = found(&state, numbered(&id)?).await?;
    Ok(Json(JobFacts::of(&job)))
}

/// What a job could not do, page by page
///
/// The first 1,000 failures, in the order in which they came.
#[utoipa::path(
    get, path = "/jobs/{id}/errors", tag = "jobs",
    params(("id" = String, Path, description = "The job's number."), PageQuery),
    responses((status = 200, body = JobErrorsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn errors(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    paging: Paging,
) -> Result<Page<JobErrorsPage>, Problem> {
    let after: Option<u32> = paging.after()?;
    let job = found(&state, numbered(&id)?).await?;
    let errors = state.store.job_errors(job.number, after, paging.one_more());
    let mut errors = errors.await?;
    let next = paging.cut(&mut errors, |errors| errors.last().map(|(seq, _)| *seq));
    let errors = errors.iter().map(JobErrorFacts::of).collect();
    Ok(paging.page(next, |next| JobErrorsPage { errors, next }))
}

/// Cancel a job
///
/// One that is queued is over at once; one that runs stops after the page that it is at. What it did until
/// then stays.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, description = "The job's number.")),
    responses((status = 200, body = JobCancelled, description = "Cancelled, or over, or cancelled before.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn cancel(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(id): Named,
) -> Result<Json<JobCancelled>, Problem> {
    let job = numbered(&id)?;
    let (by, at) = (caller.by(), state.clock.now());
    let changed = state.store.cancel_job(job, &by, at).await?;
    Ok(Json(JobCancelled { job, changed }))
}

fn numbered(id: &str) -> Result<JobNo, Problem> {
    let number: Option<i64> = id.parse().ok();
    let number = number.filter(|number| *number > 0);
    let missing = || Problem::not_found(format!("`{id}` is the number of no job"));
    number.map(JobNo).ok_or_else(missing)
}

async fn found(state: &WebState, job: JobNo) -> Result<Job, Problem> {
    let found = state.store.job(job).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no job {job}")))
}
