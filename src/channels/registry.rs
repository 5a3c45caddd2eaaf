//! Owns which adapter stands behind which configured gateway: a new one is its file and one line here.

use std::sync::Arc;

use super::SharedGateway;
use super::file::Files;
use super::http::Http;
use super::setup::{BadGateway, Setup};
use super::smtp::Smtp;
use crate::domain::gateway::Gateway;

/// Opens the channel's gateway. Nothing is connected yet; a reference that is not set, a bad port
/// or an unreadable certificate file is an error.
pub fn open(setup: &Setup<'_>) -> Result<SharedGateway, BadGateway> {
    Ok(match &setup.config.gateway {
        Gateway::Smtp(smtp) => Arc::new(Smtp::open(setup, smtp)?),
        Gateway::Http(http) => Arc::new(Http::open(setup, http)?),
        Gateway::File(file) => Arc::new(Files::open(setup, file)?),
    })
}
