//! Owns the gateways' adapters: one message in, one outcome out. An adapter never retries and never
//! touches the store.

pub mod detail;
mod dkim;
pub mod email;
mod exchange;
pub mod fan_out;
pub mod file;
mod gsm7;
pub mod guard;
pub mod http;
pub mod push;
pub mod registry;
pub mod returns;
pub mod setup;
#[cfg(feature = "smpp")]
pub mod smpp;
pub mod smtp;
mod tls;
pub mod twilio;
pub mod webhook;

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::domain::device::{Device, DeviceKind};
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::ids::DispatchId;
use crate::domain::message::Message;
use crate::domain::news::{Fate, News};

/// Called by an adapter right before the last byte that commits the gateway (SMTP: after the body,
/// before the final dot; HTTP: before the body is complete). What was never marked was certainly not taken.
pub trait HandOver: Send + Sync {
    /// # Errors
    /// When the message must not be handed over any more: the adapter breaks off, and says it was deferred.
    fn mark(&self) -> Result<(), Recalled>;
}

/// Somebody else sees to this message now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("recalled: another node works for this customer now")]
pub struct Recalled;

impl From<Recalled> for Outcome {
    fn from(recalled: Recalled) -> Self {
        Self::Deferred {
            detail: recalled.to_string(),
            retry_after: None,
            cause: DeferCause::Throttled,
        }
    }
}

/// Where an adapter brings what its gateway tells.
pub trait Ear: Send + Sync {
    /// Ready when the news are stored, so that the gateway may be told that they were taken.
    ///
    /// # Errors
    /// When they are not stored: the gateway is to tell them again.
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, Result<(), Unheard>>;
}

/// The store did not take what a gateway told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the news were not stored: {0}")]
pub struct Unheard(pub String);

/// Reads what a provider posts to `/hooks/{channel}/…`.
pub trait Hook: Send + Sync {
    /// What the request tells, if it is the provider's own.
    ///
    /// # Errors
    /// When its signature or secret is wrong, or it cannot be read.
    fn read(&self, request: &HookRequest<'_>) -> Result<Vec<News>, HookError>;
}

/// A request to a hook.
#[derive(Debug, Clone, Copy)]
pub struct HookRequest<'a> {
    pub method: &'a str,
    /// As the provider was given it, from the configured public URL: signatures cover it.
    pub url: &'a str,
    /// What stands behind `/hooks/{channel}/`.
    pub path: &'a str,
    pub query: &'a str,
    /// Names in lower case.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    pub at: Timestamp,
}

/// Why a request to a hook is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// 403: not from the provider.
    #[error("the request is not signed as the provider signs: {0}")]
    Unsigned(String),
    /// 400: from the provider, and cannot be read.
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    /// 404: the gateway has no such hook.
    #[error("there is no such hook")]
    Unknown,
}

/// Writes to the devices of customers, one at a time.
pub trait Devices: Send + Sync {
    fn kind(&self) -> DeviceKind;

    /// Tries once at one device. One that its provider does not know any more is refused for its own fault.
    fn push<'a>(
        &'a self,
        message: &'a Message,
        device: &'a Device,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome>;
}

/// Asks a gateway about messages of which nobody knows whether it took them.
pub trait Inquiry: Send + Sync {
    /// Bounded in time by the adapter itself.
    fn ask(&self, id: DispatchId) -> BoxFuture<'_, Finding>;
}

/// What a gateway answers to an inquiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It knows the message. With its own words.
    Known(Fate, String),
    /// It says that it never got such a message: true as soon as it had the time to store it.
    Missing(String),
    /// It says nothing of use, and why.
    Nothing(String),
}

/// A gateway behind a channel.
pub trait Gateway: Send + Sync {
    /// Tries once. Bounded in time by the adapter itself; dropping the future closes its connection.
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome>;

    /// What writes to devices; none: messages go to an address.
    fn devices(&self) -> Option<&dyn Devices> {
        None
    }

    /// What reads the provider's requests; none: it makes none.
    fn hook(&self) -> Option<&dyn Hook> {
        None
    }

    /// What asks for messages whose answer was lost; none: nobody can be asked.
    fn inquiry(&self) -> Option<&dyn Inquiry> {
        None
    }

    /// Listens for news on a connection of its own, until it is dropped; none: there is no such connection.
    fn listen<'a>(&'a self, _ear: &'a dyn Ear) -> Option<BoxFuture<'a, ()>> {
        None
    }

    /// Takes leave: nothing is sent or heard any more. Bounded in time by the adapter itself.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Whether its news may come to whichever node sent, so that each has to listen; otherwise one does.
    fn listens_on_every_node(&self) -> bool {
        false
    }
}

/// A gateway shared by the slots of its channel.
pub type SharedGateway = Arc<dyn Gateway>;
