//! Owns a gateway that answers by a script and remembers every message it was handed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drumbeat::channels::{Devices, Finding, Gateway, HandOver, Inquiry};
use drumbeat::clock::Clock;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::device::{Device, DeviceKind};
use drumbeat::domain::dispatch::{DeferCause, Fault, Outcome};
use drumbeat::domain::ids::DispatchId;
use drumbeat::domain::message::Message;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use super::hand_clock::HandClock;

/// One try, and how it was answered.
#[derive(Debug, Clone)]
pub(super) struct Try {
    pub(super) at: Timestamp,
    /// In real time.
    pub(super) instant: Instant,
    pub(super) channel: Channel,
    pub(super) message: Message,
    pub(super) answer: &'static str,
}

impl Try {
    /// `01-09 10:00 ana email hello`, and what was not accepted or not the first try.
    pub(super) fn line(&self) -> String {
        let at = self.at.strftime("%m-%d %H:%M");
        let (origin, attempt) = (&self.message.frozen.origin, self.message.attempt);
        let mut line = format!("{at} {} {} {}", origin.customer, self.channel, origin.step);
        if attempt > 1 {
            line += " #";
            line += &attempt.to_string();
        }
        if self.answer != "accepted" {
            line += " ";
            line += self.answer;
        }
        line
    }
}

/// All channels' gateways.
pub(super) struct Outbox {
    clock: Arc<HandClock>,
    tries: Mutex<Vec<Try>>,
    scripts: Mutex<BTreeMap<Channel, VecDeque<Outcome>>>,
    always: Mutex<BTreeMap<Channel, Outcome>>,
    /// What gateways say when they are asked; none: nobody asks them.
    finding: Mutex<Option<Finding>>,
    inquiries: Mutex<Vec<DispatchId>>,
}

/// One channel's end of the outbox.
pub(super) struct Slot {
    channel: Channel,
    /// What it writes to, if not to addresses.
    devices: Option<DeviceKind>,
    outbox: Arc<Outbox>,
}

impl Outbox {
    pub(super) fn new(clock: Arc<HandClock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            tries: Mutex::default(),
            scripts: Mutex::default(),
            always: Mutex::default(),
            finding: Mutex::default(),
            inquiries: Mutex::default(),
        })
    }

    pub(super) fn gateway(
        self: &Arc<Self>,
        channel: Channel,
        devices: Option<DeviceKind>,
    ) -> Arc<Slot> {
        Arc::new(Slot {
            channel,
            devices,
            outbox: Arc::clone(self),
        })
    }

    /// The next answers of a channel; after them everything is accepted.
    pub(super) fn answers(&self, channel: Channel, outcomes: impl IntoIterator<Item = Outcome>) {
        let mut scripts = self.scripts.lock().unwrap();
        scripts.entry(channel).or_default().extend(outcomes);
    }

    /// What a channel says to everything from now on, when its script is over.
    pub(super) fn always(&self, channel: Channel, outcome: Outcome) {
        self.always.lock().unwrap().insert(channel, outcome);
    }

    /// What every gateway finds from now on when it is asked.
    pub(super) fn finds(&self, finding: Finding) {
        *self.finding.lock().unwrap() = Some(finding);
    }

    /// Who was asked about since the last look.
    pub(super) fn inquiries(&self) -> Vec<DispatchId> {
        std::mem::take(&mut self.inquiries.lock().unwrap())
    }

    /// The tries since the last look.
    pub(super) fn take(&self) -> Vec<Try> {
        std::mem::take(&mut self.tries.lock().unwrap())
    }

    fn answer(&self, channel: Channel) -> Outcome {
        let scripted = self
            .scripts
            .lock()
            .unwrap()
            .get_mut(&channel)
            .and_then(VecDeque::pop_front);
        let always = || self.always.lock().unwrap().get(&channel).cloned();
        scripted.or_else(always).unwrap_or_else(accepted)
    }
}

impl Gateway for Slot {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let outcome = self.outbox.answer(self.channel);
            hand_over.mark().unwrap();
            self.outbox.tries.lock().unwrap().push(Try {
                at: self.outbox.clock.now(),
                instant: Instant::now(),
                channel: self.channel,
                message: message.clone(),
                answer: named(&outcome),
            });
            outcome
        })
    }

    fn devices(&self) -> Option<&dyn Devices> {
        self.devices.is_some().then_some(self as &dyn Devices)
    }

    fn inquiry(&self) -> Option<&dyn Inquiry> {
        let is_asked = self.outbox.finding.lock().unwrap().is_some();
        is_asked.then_some(self as &dyn Inquiry)
    }
}

impl Inquiry for Slot {
    fn ask(&self, id: DispatchId) -> BoxFuture<'_, Finding> {
        self.outbox.inquiries.lock().unwrap().push(id);
        let finding = self.outbox.finding.lock().unwrap().clone().unwrap();
        Box::pin(async move { finding })
    }
}

impl Devices for Slot {
    fn kind(&self) -> DeviceKind {
        self.devices.unwrap()
    }

    fn push<'a>(
        &'a self,
        message: &'a Message,
        _: &'a Device,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        self.send(message, hand_over)
    }
}

fn named(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Deferred { .. } => "deferred",
        Outcome::Refused { .. } => "refused",
        Outcome::Uncertain { .. } => "uncertain",
    }
}

pub(super) fn accepted() -> Outcome {
    Outcome::Accepted {
        gateway_id: Some("q1".to_owned()),
        detail: "250 ok".to_owned(),
    }
}

pub(super) fn deferred(retry_after: Option<u64>) -> Outcome {
    Outcome::Deferred {
        detail: "451 busy".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
        cause: DeferCause::Message,
    }
}

/// The gateway itself is out of order.
pub(super) fn down() -> Outcome {
    Outcome::Deferred {
        detail: "connection refused".to_owned(),
        retry_after: None,
        cause: DeferCause::Gateway,
    }
}

pub(super) fn refused(fault: Fault) -> Outcome {
    Outcome::Refused {
        detail: "550 no".to_owned(),
        fault,
    }
}

pub(super) fn uncertain() -> Outcome {
    Outcome::Uncertain {
        detail: "no answer".to_owned(),
    }
}
