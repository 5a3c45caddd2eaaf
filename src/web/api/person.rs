//! Owns `/customers/{id}/export`: everything that is known of one person, as a file for that person.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::problem::Problem;
use super::reading::{Asked, Named};
use crate::customers::person;
use crate::web::state::WebState;

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FileFormat {
    /// Keeps the structure.
    #[default]
    Json,
    /// A line for each value: section, item, name and value.
    Csv,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// `json`, unless it is said.
    #[param(inline)]
    format: Option<FileFormat>,
}

/// One person's data
///
/// The copy that articles 15 and 20 of the General Data Protection Regulation ask for: the record, the whole
/// history, subscriptions, notes and tasks.
#[utoipa::path(
    get, path = "/customers/{id}/export", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), ExportQuery),
    responses((status = 200, description = "The file.", content((serde_json::Value = "application/json"),
        (String = "text/csv")),
        headers(("Content-Disposition" = String, description = "To be saved, not shown.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn export(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
    Asked(query): Asked<ExportQuery>,
) -> Result<Response, Problem> {
    let published = state.daemon.published();
    let now = state.clock.now();
    let copy = person::export(&state.store, &published.revision, &id, now).await?;
    let (media_type, name, text) = match query.format.unwrap_or_default() {
        FileFormat::Json => ("application/json", "customer.json", format!("{copy:#}\n")),
        FileFormat::Csv => (
            "text/csv; charset=utf-8",
            "customer.csv",
            person::table(&copy)?,
        ),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text).into_response())
}
