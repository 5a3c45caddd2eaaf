//! Owns the engine as the daemon runs it, on a clock that the benchmark moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use drumbeat::channels::setup::Setup;
use drumbeat::channels::{Gateway, HandOver, SharedGateway, registry};
use drumbeat::clock::{Clock, ManualClock};
use drumbeat::domain::assignment::assign;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::ids::Share;
use drumbeat::domain::link::LinkKey;
use drumbeat::domain::message::Message;
use drumbeat::domain::revision::Revision;
use drumbeat::engine::{
    Beat, CLAIMERS, Catalog, Claimer, Duty, Engine, Enroller, Left, Links, Marks, Node, Outlet,
    Outlets, Parker, Pulse, Settler, beat,
};
use drumbeat::settings::Settings;
use drumbeat::store::{NewRevision, Ownership, Published, Store};
use drumbeat::workspace;

use crate::place::Place;
use crate::workload;

/// Every run begins on this Monday morning.
const MONDAY: i64 = 1_767_607_200;
/// A phase that makes no progress for this long has failed.
const PATIENCE: Duration = Duration::from_mins(15);
/// Nodes know each other, and have their shares, within this.
const ASSEMBLED: Duration = Duration::from_mins(1);

/// What stands behind the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wire {
    /// SMTP and HTTP to the sink.
    Real,
    /// A gateway that accepts at once.
    None,
}

/// A store with the engine over it.
pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    standing: Option<Standing>,
    _ownership: Ownership,
}

/// A node's place among those of a server: its time is renewed until it leaves.
struct Standing {
    stop: CancellationToken,
    rounds: JoinHandle<()>,
}

/// The engine's loops, until they are stopped.
pub(crate) struct Loops {
    settler: Settler,
    claiming: CancellationToken,
    serving: CancellationToken,
    working: TaskTracker,
    writing: JoinHandle<()>,
}

struct AtOnce;

impl Gateway for AtOnce {
    fn send<'a>(&'a self, _: &'a Message, hand_over: &'a dyn HandOver) -> BoxFuture<'a, Outcome> {
        hand_over.mark().ok();
        Box::pin(std::future::ready(Outcome::Accepted {
            gateway_id: None,
            detail: String::new(),
        }))
    }
}

pub(crate) fn day(day: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(MONDAY + day * 86_400)?)
}

pub(crate) async fn open_store(place: &Place) -> Result<Store> {
    Ok(Store::open(&place.url(), &place.home()).await?)
}

/// The checked files with these flows.
pub(crate) fn revision(place: &Place, flows: &[&str]) -> Result<(Revision, String)> {
    workload::write_workspace(&place.workspace(), place.ports, flows)?;
    let sources = workspace::load(&place.workspace())?;
    let checked = workspace::check(&sources);
    let words = workspace_errors(&sources, &checked);
    let revision = checked.revision.with_context(|| words)?;
    Ok((revision, sources.hash().to_owned()))
}

fn workspace_errors(sources: &workspace::Sources, checked: &workspace::Checked) -> String {
    workspace::render::text(sources, &checked.diagnostics, false)
}

pub(crate) async fn publish(
    store: &Store,
    place: &Place,
    flows: &[&str],
    at: Timestamp,
) -> Result<Published> {
    let (revision, hash) = revision(place, flows)?;
    let new = NewRevision {
        revision: &revision,
        hash: &hash,
        commit: None,
        sources: Vec::new(),
        at,
    };
    Ok(store.publish(new).await?)
}

impl Rig {
    /// The engine over the store of this place, with these flows, on this day.
    pub(crate) async fn open(
        place: &Place,
        flows: &[&str],
        wire: Wire,
        today: i64,
    ) -> Result<Self> {
        let store = open_store(place).await?;
        let ownership = store.own("the benchmark").await?;
        let clock = Arc::new(ManualClock::new(day(today)?));
        let published = publish(&store, place, flows, clock.now()).await?;
        let outlets = outlets(&published.revision, place, wire)?;
        let catalog = Catalog::new(published, store.successors().await?);
        let handover = store.beside("handover");
        let left = Marks::left_behind(&handover);
        let marks = Marks::open(&handover)?;
        let links = Links {
            public_url: "https://bank.example".to_owned(),
            key: LinkKey::new(store.link_key().await?),
        };
        let identity = (ownership.incarnation, store.instance_tag().await?);
        let flow_time: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let duty = Duty::of(store.is_shared(), &format!("node {}", place.node));
        let engine = Arc::new(Engine::new(
            store,
            flow_time,
            identity,
            (marks, duty),
            links,
            (catalog, outlets),
        ));
        let standing = Standing::take(&engine, left, &ownership).await?;
        Ok(Self {
            engine,
            clock,
            standing,
            _ownership: ownership,
        })
    }

    /// Waits until so many nodes are there, and this one holds exactly its own share.
    pub(crate) async fn assembled(&self, nodes: u16) -> Result<()> {
        if self.standing.is_none() {
            return Ok(());
        }
        let (store, duty) = (&self.engine.store, &self.engine.duty);
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while begun.elapsed() < ASSEMBLED {
            ticks.tick().await;
            let live = store.live_nodes().await?.into_iter().map(|node| node.node);
            let live: Vec<_> = live.collect();
            let own = assign(&live).remove(&self.engine.incarnation);
            if live.len() == usize::from(nodes) && own.is_some_and(|own| own == *duty.stripes()) {
                return Ok(());
            }
        }
        bail!("{nodes} nodes have not shared the work after {ASSEMBLED:?}")
    }

    /// Enrolls until nothing is left to look at, without any other work beside it; the seconds until
    /// all `expected` were enrolled, and until every change was looked at.
    pub(crate) async fn enroll(&self, expected: u64) -> Result<(f64, f64)> {
        let (parker, enroller) = (
            Parker::new(Arc::clone(&self.engine)),
            Enroller::new(Arc::clone(&self.engine)),
        );
        let begun = Instant::now();
        parker.run_once().await?;
        let (mut enrolled, mut enrolled_in) = (0, None);
        loop {
            let (pass, beat) = enroller.run_once().await?;
            enrolled += pass.enrolled;
            if enrolled >= expected {
                enrolled_in.get_or_insert_with(|| begun.elapsed());
            }
            if beat != Beat::Now {
                break;
            }
        }
        if enrolled != expected {
            bail!("{enrolled} were enrolled, not {expected}");
        }
        let enrolled_in = enrolled_in.unwrap_or_default();
        Ok((enrolled_in.as_secs_f64(), begun.elapsed().as_secs_f64()))
    }

    /// Claims without loops and without a wire until nothing is due; how many rows were moved on.
    pub(crate) async fn claim_all(&self) -> Result<()> {
        let (settler, outcomes) = Settler::new(Arc::clone(&self.engine));
        drop(outcomes);
        let claimer = Claimer::new(Arc::clone(&self.engine), settler, Share::WHOLE);
        while claimer.run_once().await? == Beat::Now {}
        Ok(())
    }

    /// Starts what the daemon starts.
    pub(crate) fn start(&self) -> Loops {
        let engine = &self.engine;
        let (claiming, serving, working) = (
            CancellationToken::new(),
            CancellationToken::new(),
            TaskTracker::new(),
        );
        let (pulse, watching) = Pulse::watch(engine.store.clone(), serving.clone());
        working.spawn(watching);
        let (settler, outcomes) = Settler::new(Arc::clone(engine));
        let writing = tokio::spawn(Settler::write(Arc::clone(engine), outcomes));
        for share in Share::all(CLAIMERS) {
            let claimer = Claimer::new(Arc::clone(engine), settler.clone(), share);
            let claimer = Arc::new(claimer);
            working.spawn(beat("claim", pulse.clone(), claiming.clone(), move || {
                let claimer = Arc::clone(&claimer);
                async move { claimer.run_once().await }
            }));
        }
        let enroller = Arc::new(Enroller::new(Arc::clone(engine)));
        working.spawn(beat("enroll", pulse.clone(), claiming.clone(), move || {
            let enroller = Arc::clone(&enroller);
            async move { enroller.run_once().await.map(|(_, beat)| beat) }
        }));
        let parker = Arc::new(Parker::new(Arc::clone(engine)));
        working.spawn(beat("park", pulse, claiming.clone(), move || {
            let parker = Arc::clone(&parker);
            async move { parker.run_once().await }
        }));
        Loops {
            settler,
            claiming,
            serving,
            working,
            writing,
        }
    }

    /// Waits until nothing is due or in flight of what is this node's, seen so twice; the seconds since
    /// `begun`.
    pub(crate) async fn finished(&self, begun: Instant) -> Result<f64> {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seen, mut done) = (0, begun.elapsed());
        while seen < 2 {
            ticks.tick().await;
            seen = if self.is_quiet().await? { seen + 1 } else { 0 };
            if seen < 2 {
                done = begun.elapsed();
            }
            if done > PATIENCE {
                bail!("the engine is not done after {PATIENCE:?}");
            }
        }
        Ok(done.as_secs_f64())
    }

    async fn is_quiet(&self) -> Result<bool> {
        let (engine, outlets) = (&self.engine, self.engine.outlets());
        if outlets.values().any(|outlet| outlet.in_flight() > 0) {
            return Ok(false);
        }
        let stripes = engine.duty.stripes();
        let next = engine.store.next_dues(&stripes).await?;
        let now = self.clock.now();
        // Without stripes there is nothing to be seen: they are with nobody just now.
        Ok(!stripes.is_empty() && next.values().all(|due| *due > now))
    }

    /// Moves the clock on; the store's next commit wakes the loops.
    pub(crate) async fn pass_days(&self, days: i64) -> Result<()> {
        self.clock.advance(SignedDuration::from_hours(24 * days));
        let (machine, now) = (self.clock.machine(), self.clock.now());
        Ok(self
            .engine
            .store
            .save_clock(machine, now, 1.0, true)
            .await?)
    }

    pub(crate) async fn close(self) -> Result<()> {
        if let Some(standing) = self.standing {
            standing.give_up(&self.engine).await?;
        }
        self.engine.store.close().await;
        Ok(())
    }
}

impl Standing {
    /// Joins the nodes of a server. A file has no others.
    async fn take(engine: &Arc<Engine>, left: Left, ownership: &Ownership) -> Result<Option<Self>> {
        if !engine.store.is_shared() {
            return Ok(None);
        }
        let node = Arc::new(Node::new(Arc::clone(engine), left, ownership.last));
        node.begin().await?;
        let stop = CancellationToken::new();
        let rounds = beat("node", Pulse::silent(), stop.clone(), move || {
            let node = Arc::clone(&node);
            async move { node.run_once().await }
        });
        let rounds = tokio::spawn(rounds);
        Ok(Some(Self { stop, rounds }))
    }

    async fn give_up(self, engine: &Engine) -> Result<()> {
        self.stop.cancel();
        self.rounds.await?;
        Ok(engine.duty.leave(&engine.store, engine.incarnation).await?)
    }
}

impl Loops {
    /// Stops them in the daemon's order.
    pub(crate) async fn stop(self) -> Result<()> {
        self.claiming.cancel();
        self.settler.drained().await;
        self.serving.cancel();
        self.working.close();
        self.working.wait().await;
        drop(self.settler);
        Ok(self.writing.await?)
    }
}

fn outlets(revision: &Revision, place: &Place, wire: Wire) -> Result<Outlets> {
    let settings = Settings::from_variables([]);
    let mut outlets = Outlets::new();
    for (channel, config) in &revision.channels {
        let gateway: SharedGateway = match wire {
            Wire::None => Arc::new(AtOnce),
            Wire::Real => registry::open(&Setup {
                config,
                workspace: &place.folder,
                returns: None,
                reveal: &|text| Ok(settings.reveal(text)?),
            })?,
        };
        let open = if place.server.is_some() {
            Outlet::shared
        } else {
            Outlet::new
        };
        outlets.insert(*channel, Arc::new(open(config.clone(), gateway)));
    }
    Ok(outlets)
}
