//! Owns the gateways' adapters: one message in, one outcome out. An adapter never retries and never
//! touches the store.

pub mod detail;
pub mod email;
pub mod file;
pub mod http;
pub mod registry;
pub mod setup;
pub mod smtp;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::message::Message;

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

/// A gateway behind a channel.
pub trait Gateway: Send + Sync {
    /// Tries once. Bounded in time by the adapter itself; dropping the future closes its connection.
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome>;
}

/// A gateway shared by the slots of its channel.
pub type SharedGateway = Arc<dyn Gateway>;
