//! Owns the secret by which a request to a hook is known to be the gateway's own.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret as _, SecretString};

use super::told::header;
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{HookError, HookRequest};
use crate::domain::gateway::Secretive;

/// Guessing fewer is not out of reach.
const SHORTEST: usize = 16;

/// In a header, else the last part of the address.
pub(super) struct Shared {
    secret: SecretString,
    header: Option<String>,
}

impl Shared {
    pub(super) fn open(
        setup: &Setup<'_>,
        key: &str,
        (secret, header): (&Secretive, Option<&String>),
    ) -> Result<Self, BadGateway> {
        let secret = setup.secret(key, secret)?;
        let text = secret.expose_secret();
        if text.chars().count() < SHORTEST {
            let why = format!("it must have at least {SHORTEST} characters");
            return Err(setup.bad(key, &why));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        if header.is_none() && !text.chars().all(is_plain) {
            let why = "in an address it may hold letters, digits, `-`, `_`, `.` and `~` only: \
                       set `header`, or another secret";
            return Err(setup.bad(key, why));
        }
        let header = header.cloned();
        Ok(Self { secret, header })
    }

    /// The address with the secret, if it belongs there.
    pub(super) fn address(&self, url: &str) -> String {
        match &self.header {
            Some(_) => url.to_owned(),
            None => format!("{url}/{}", self.secret.expose_secret()),
        }
    }

    /// The parts of the path without the secret, once it is known to be right.
    pub(super) fn admit<'a>(&self, request: &HookRequest<'a>) -> Result<Vec<&'a str>, HookError> {
        let mut parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let given = match &self.header {
            Some(name) => header(request, name),
            None if parts.len() > 1 => parts.pop(),
            None => None,
        };
        let given = given.ok_or_else(|| HookError::Unsigned("the secret is missing".to_owned()))?;
        verify_slices_are_equal(given.as_bytes(), self.secret.expose_secret().as_bytes())
            .map_err(|_| HookError::Unsigned("the secret is another one".to_owned()))?;
        Ok(parts)
    }
}
