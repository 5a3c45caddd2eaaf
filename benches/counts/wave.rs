//! Owns a wave of messages that stops where it is told: when all are claimed, when all are rendered, or
//! when all are settled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, anyhow, bail};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, Semaphore};

use drumbeat::channels::{Gateway, HandOver};
use drumbeat::clock::Clock as _;
use drumbeat::domain::channel::{Channel, Lane};
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::ids::Share;
use drumbeat::domain::message::Message;
use drumbeat::engine::{Beat, Claimer, Done, Outlet, Settler};

use crate::operations::Run;
use crate::rig::Rig;

/// A gateway that takes nothing until it is opened.
struct Held {
    expected: u64,
    arrived: AtomicU64,
    all: Notify,
    gate: Semaphore,
}

impl Gateway for Held {
    fn send<'a>(&'a self, _: &'a Message, hand_over: &'a dyn HandOver) -> BoxFuture<'a, Outcome> {
        if self.arrived.fetch_add(1, Ordering::Relaxed) + 1 == self.expected {
            self.all.notify_one();
        }
        Box::pin(async move {
            // A closed gate lets everybody through.
            drop(self.gate.acquire().await);
            hand_over.mark().ok();
            Outcome::Accepted {
                gateway_id: None,
                detail: String::new(),
            }
        })
    }
}

/// The links of the first message wait for the system's randomness to be gathered, which takes as long
/// as hundreds of messages: it is gathered before.
fn seed() -> Result<()> {
    let filled = aws_lc_rs::rand::fill(&mut [0; 12]);
    filled.map_err(|_| anyhow!("the system gives no random bytes"))
}

/// The engine with so many messages due.
pub(crate) struct Wave {
    rig: Rig,
    messages: u64,
}

/// What a stopped wave still holds.
pub(crate) struct Stopped {
    _rig: Rig,
    _in_flight: Option<(Settler, Claimer, UnboundedReceiver<Done>)>,
}

impl Wave {
    pub(crate) fn new(rig: Rig, messages: u64) -> Result<Self> {
        if u32::try_from(messages).is_err() {
            bail!("{messages} messages are too many");
        }
        Ok(Self { rig, messages })
    }

    pub(crate) async fn run(self, until: Run) -> Result<Stopped> {
        let gateway = self.install(until)?;
        seed()?;
        let (settler, outcomes) = Settler::new(Arc::clone(&self.rig.engine));
        let claimer = Claimer::new(Arc::clone(&self.rig.engine), settler.clone(), Share::WHOLE);
        if until >= Run::Claimed {
            while claimer.run_once().await? == Beat::Now {}
        }
        if until >= Run::Rendered {
            gateway.all.notified().await;
        }
        let in_flight = if until == Run::Settled {
            gateway.gate.close();
            let writing = tokio::spawn(Settler::write(Arc::clone(&self.rig.engine), outcomes));
            settler.drained().await;
            drop((settler, claimer));
            writing.await?;
            None
        } else {
            Some((settler, claimer, outcomes))
        };
        self.check(until).await?;
        Ok(Stopped {
            _rig: self.rig,
            _in_flight: in_flight,
        })
    }

    /// Room for all messages at once. Where only claims are counted the gateway has a single connection:
    /// the next messages are not rendered before it is free, which it never is.
    fn install(&self, until: Run) -> Result<Arc<Held>> {
        let gateway = Arc::new(Held {
            expected: self.messages,
            arrived: AtomicU64::new(0),
            all: Notify::new(),
            gate: Semaphore::new(0),
        });
        let engine = &self.rig.engine;
        let catalog = engine.catalog();
        let config = catalog.revision().channels.get(&Channel::Email);
        let mut config = config.context("the channel `email` is missing")?.clone();
        let room = u32::try_from(self.messages)?;
        config.slots = room * 4;
        config.connections = if until >= Run::Rendered { room } else { 1 };
        let outlet = Outlet::new(config, gateway.clone());
        let outlets = BTreeMap::from([(Channel::Email, Arc::new(outlet))]);
        engine.install(catalog, outlets);
        Ok(gateway)
    }

    /// What was counted must be what it is said to be.
    async fn check(&self, until: Run) -> Result<()> {
        let (engine, clock) = (&self.rig.engine, &self.rig.clock);
        let lane = Lane::Channel(Channel::Email);
        let due = engine.store.count_due(lane, clock.now()).await?;
        let in_flight = self.in_flight();
        let expected = if until == Run::Waiting {
            self.messages
        } else {
            0
        };
        if due != expected {
            bail!("{due} messages are due, not {expected}");
        }
        let claimed = matches!(until, Run::Claimed | Run::Rendered);
        let expected = if claimed { self.messages } else { 0 };
        if in_flight != expected {
            bail!("{in_flight} messages are in flight, not {expected}");
        }
        Ok(())
    }

    fn in_flight(&self) -> u64 {
        let outlets = self.rig.engine.outlets();
        outlets
            .values()
            .map(|outlet| u64::from(outlet.in_flight()))
            .sum()
    }
}
