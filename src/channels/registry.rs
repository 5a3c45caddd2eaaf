//! Owns which adapter stands behind which configured gateway: a new one is its file and one line here.

use std::sync::Arc;

use super::SharedGateway;
use super::file::Files;
use super::http::Http;
use super::push::{Apns, Fcm, Webpush};
use super::setup::{BadGateway, Setup};
#[cfg(feature = "smpp")]
use super::smpp::Smpp;
use super::smtp::Smtp;
use super::twilio::Twilio;
use crate::domain::gateway::Gateway;

/// Opens the channel's gateway. Nothing is connected yet; a reference that is not set, a bad port
/// or an unreadable certificate file is an error.
pub fn open(setup: &Setup<'_>) -> Result<SharedGateway, BadGateway> {
    Ok(match &setup.config.gateway {
        Gateway::Smtp(smtp) => Arc::new(Smtp::open(setup, smtp)?),
        Gateway::Http(http) => Arc::new(Http::open(setup, http)?),
        Gateway::Fcm(fcm) => Arc::new(Fcm::open(setup, fcm)?),
        Gateway::Apns(apns) => Arc::new(Apns::open(setup, apns)?),
        Gateway::Webpush(webpush) => Arc::new(Webpush::open(setup, webpush)?),
        #[cfg(feature = "smpp")]
        Gateway::Smpp(smpp) => Arc::new(Smpp::open(setup, smpp)?),
        #[cfg(not(feature = "smpp"))]
        Gateway::Smpp(_) => {
            let reason =
                "this build cannot speak SMPP: build it with the feature `smpp`, a default one";
            return Err(setup.bad("gateway.smpp", reason));
        }
        Gateway::Twilio(twilio) => Arc::new(Twilio::open(setup, twilio)?),
        Gateway::File(file) => Arc::new(Files::open(setup, file)?),
    })
}
