//! Owns gateways that take everything and remember it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::tally::{Slot, Tally};
use crate::channels::{Gateway, HandOver};
use crate::domain::dispatch::Outcome;
use crate::domain::gateway::{self, ChannelConfig, FileGateway};
use crate::domain::message::{Frozen, Message};
use crate::domain::revision::Revision;
use crate::engine::{Outlet, Outlets};

/// A channel takes so many messages at once.
const SLOTS: u32 = 1_024;

/// Whose messages are kept as they are; all are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeps {
    Everybodys,
    Of(Option<String>),
}

/// What was handed over.
#[derive(Debug)]
pub(super) struct Recorder {
    keeps: Keeps,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    messages: Vec<Frozen>,
    tally: Tally,
}

impl Recorder {
    pub(super) fn new(keeps: Keeps) -> Arc<Self> {
        Arc::new(Self {
            keeps,
            kept: Mutex::default(),
        })
    }

    /// The messages that were kept, in the order in which they came.
    pub(super) fn messages(&self) -> Vec<Frozen> {
        std::mem::take(&mut self.kept().messages)
    }

    pub(super) fn tally(&self) -> Tally {
        std::mem::take(&mut self.kept().tally)
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

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, message: &Frozen) {
        let keeps = match &self.keeps {
            Keeps::Everybodys => true,
            Keeps::Of(customer) => customer.as_ref() == Some(&message.origin.customer),
        };
        let mut kept = self.kept();
        *kept.tally.entry(Slot::of(message)).or_default() += 1;
        if keeps {
            kept.messages.push(message.clone());
        }
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
            self.0.take(&message.frozen);
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
