//! Owns `/customers/{id}/devices`: where a customer gets push messages.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named, Numbered};
use crate::customers::devices::{self, DeviceFacts, WrittenDevice};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DevicesPage {
    /// Those registered last first.
    devices: Vec<DeviceFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceRegistered {
    /// Its number among the customer's devices.
    device: i64,
}

/// Devices of a customer, page by page
///
/// Without their tokens.
#[utoipa::path(
    get, path = "/customers/{id}/devices", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = DevicesPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(customer): Named,
    paging: Paging,
) -> Result<Page<DevicesPage>, Problem> {
    let all = devices::list(&state.store, &customer).await?;
    let (devices, next) = paging.part_of(all, |_, device| {
        Reverse((device.registered_at, device.number))
    })?;
    let devices = devices.iter().map(DeviceFacts::of).collect();
    Ok(paging.page(next, |next| DevicesPage { devices, next }))
}

/// Register a device
///
/// An app does so each time its provider gives it a token. Whoever had the token has it no more. A customer
/// has at most 32 devices: one more takes the place of the oldest.
#[utoipa::path(
    post, path = "/customers/{id}/devices", tag = "customers", request_body = WrittenDevice,
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 201, body = DeviceRegistered, description = "Registered."),
        (status = 200, body = DeviceRegistered, description = "The customer had it already.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn register(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<WrittenDevice>,
) -> Result<(StatusCode, Json<DeviceRegistered>), Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    let registered = devices::register(&state.store, &customer, input, &by, at).await?;
    let status = if registered.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let device = registered.number;
    Ok((status, Json(DeviceRegistered { device })))
}

/// Remove a device
///
/// It gets no messages until it is registered again.
#[utoipa::path(
    delete, path = "/customers/{id}/devices/{number}", tag = "customers",
    params(("id" = String, Path, description = "The unique id."),
        ("number" = i64, Path, description = "The device's number.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    device: Numbered,
) -> Result<StatusCode, Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    let was_there = devices::remove(&state.store, &device.of, device.number, &by, at).await?;
    device.done("device", was_there)
}
