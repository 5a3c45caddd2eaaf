//! Owns `/reports`: the files that exports left, listed, fetched part by part, and removed.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::Named;
use crate::customers::reports::ReportFacts;
use crate::domain::report::Report;
use crate::store;
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportsPage {
    reports: Vec<ReportFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Finished files, page by page
///
/// The newest first. A job of the kind `export` makes one, with the number of the job.
#[utoipa::path(
    get, path = "/reports", tag = "jobs", params(PageQuery),
    responses((status = 200, body = ReportsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    paging: Paging,
) -> Result<Page<ReportsPage>, Problem> {
    let below: Option<i64> = paging.after()?;
    let mut reports = state.store.reports(below, paging.one_more()).await?;
    let last = |reports: &[Report]| reports.last().map(|report| report.number);
    let next = paging.cut(&mut reports, last);
    let reports = reports.iter().map(ReportFacts::of).collect();
    Ok(paging.page(next, |next| ReportsPage { reports, next }))
}

/// A finished file
///
/// What it is; `…/file` is the file itself.
#[utoipa::path(
    get, path = "/reports/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The report's number.")),
    responses((status = 200, body = ReportFacts, description = "The report.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
) -> Result<Json<ReportFacts>, Problem> {
    let report = found(&state, &id).await?;
    Ok(Json(ReportFacts::of(&report)))
}

/// Fetch a finished file
///
/// As it was written, to be saved and not to be shown.
#[utoipa::path(
    get, path = "/reports/{id}/file", tag = "jobs",
    params(("id" = String, Path, description = "The report's number.")),
    responses((status = 200, description = "The file.", content(
            (String = "text/csv"),
            (String = "application/jsonl"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
        headers(("Content-Disposition" = String, description = "What the file is called (RFC 6266).")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn file(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
) -> Result<impl IntoResponse, Problem> {
    let report = found(&state, &id).await?;
    let (store, number) = (state.store.clone(), report.number);
    let parts = stream::try_unfold((store, 0_u32), move |(store, part)| async move {
        let body = store.report_part(number, part).await?;
        Ok::<_, store::Error>(body.map(|body| (body, (store, part + 1))))
    });
    let kind = match report.format.as_str() {
        "csv" => "text/csv; charset=utf-8",
        "jsonl" => "application/jsonl",
        _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_LENGTH, report.bytes.to_string()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", report.name),
        ),
    ];
    Ok((headers, Body::from_stream(parts)))
}

/// Remove a finished file
///
/// Otherwise it goes by itself after some days.
#[utoipa::path(
    delete, path = "/reports/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The report's number.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    let report = found(&state, &id).await?;
    let (by, at) = (caller.by(), state.clock.now());
    let removed = state.store.remove_report(report.number, &by, at);
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn found(state: &WebState, id: &str) -> Result<Report, Problem> {
    let missing = || Problem::not_found(format!("there is no report `{id}`"));
    let number: i64 = id.parse().map_err(|_| missing())?;
    state.store.report(number).await?.ok_or_else(missing)
}
