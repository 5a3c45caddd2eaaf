//! Owns which of a gateway's requests tell of messages, and which bring replies.

use super::inbound::Inbound;
use super::receipts::Receipts;
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Hook, HookError, HookRequest};
use crate::domain::gateway::HttpGateway;
use crate::domain::message::Message;
use crate::domain::news::News;

/// What stands behind `/hooks/CHANNEL/`.
#[derive(Default)]
pub(super) struct Hooks {
    status: Option<Receipts>,
    inbound: Option<Inbound>,
}

impl Hooks {
    pub(super) fn open(setup: &Setup<'_>, http: &HttpGateway) -> Result<Self, BadGateway> {
        let (receipts, inbound) = (http.receipts.as_ref(), http.inbound.as_ref());
        Ok(Self {
            status: receipts.map(|how| Receipts::open(setup, how)).transpose()?,
            inbound: inbound.map(|how| Inbound::open(setup, how)).transpose()?,
        })
    }

    pub(super) fn are_there(&self) -> bool {
        self.status.is_some() || self.inbound.is_some()
    }

    /// Where the gateway is to tell of a message.
    pub(super) fn url(&self, message: &Message) -> Option<String> {
        self.status.as_ref()?.url(message)
    }
}

impl Hook for Hooks {
    fn read(&self, request: &HookRequest<'_>) -> Result<Vec<News>, HookError> {
        let first = request.path.trim_start_matches('/').split('/').next();
        let hook = match first {
            Some("status") => self.status.as_ref().map(|hook| hook as &dyn Hook),
            Some("inbound") => self.inbound.as_ref().map(|hook| hook as &dyn Hook),
            _ => None,
        };
        hook.ok_or(HookError::Unknown)?.read(request)
    }
}
