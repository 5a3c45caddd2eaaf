//! Owns gateways that take everything and remember it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::channels::{Gateway, HandOver};
use crate::domain::dispatch::Outcome;
use crate::domain::gateway::{self, ChannelConfig, FileGateway};
use crate::domain::message::{Frozen, Message};
use crate::domain::revision::Revision;
use crate::engine::{Outlet, Outlets};

/// A channel takes so many messages at once.
const SLOTS: u32 = 1_024;

/// Every message that was handed over.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    messages: Mutex<Vec<Frozen>>,
}

impl Recorder {
    /// The messages since the last look, in the order in which they came.
    pub(super) fn take(&self) -> Vec<Frozen> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut messages)
    }

    /// Every channel's end of it.
    pub(super) fn outlets(self: &Arc<Self>, revision: &Revision) -> Outlets {
        let configs = revision.channels.iter();
        let outlets = configs.map(|(channel, config)| {
            let gateway = Arc::new(End(Arc::clone(self)));
            (*channel, Arc::new(Outlet::new(config.clone(), gateway)))
        });
        outlets.collect()
    }
}

struct End(Arc<Recorder>);

impl Gateway for End {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if let Err(recalled) = hand_over.mark() {
                return recalled.into();
            }
            let mut messages = self
                .0
                .messages
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            messages.push(message.frozen.clone());
            Outcome::Accepted {
                gateway_id: None,
                detail: String::new(),
            }
        })
    }
}

/// The revision with channels that only remember, at no pace.
pub(super) fn recorded(mut revision: Revision) -> Revision {
    for config in revision.channels.values_mut() {
        *config = ChannelConfig {
            gateway: gateway::Gateway::File(FileGateway {
                folder: String::new(),
            }),
            pace: None,
            slots: SLOTS,
            connections: SLOTS,
            ..config.clone()
        };
    }
    revision
}
