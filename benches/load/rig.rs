//! Owns the engine as the daemon runs it, with a clock and a gateway of the benchmark's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use drumbeat::channels::SharedGateway;
use drumbeat::clock::{Clock, SystemClock};
use drumbeat::customers::import::{ImportRequest, import};
use drumbeat::customers::reading::Input;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::ids::Share;
use drumbeat::domain::link::LinkKey;
use drumbeat::domain::revision::Revision;
use drumbeat::engine::{
    Beat, CLAIMERS, Catalog, Claimer, Duty, Engine, Enroller, Links, Marks, Node, Outlet, Outlets,
    Parker, Pulse, Settler, beat,
};
use drumbeat::store::{NewRevision, Ownership, Published, Store};

use crate::files;
use crate::people;
use crate::place::Place;

/// Machine and flow time that can be put ahead together.
pub(crate) struct Shifted {
    micros: AtomicI64,
}

impl Shifted {
    pub(crate) fn to(start: Timestamp) -> Arc<Self> {
        let ahead = start.as_microsecond() - SystemClock.machine().as_microsecond();
        let micros = AtomicI64::new(ahead);
        Arc::new(Self { micros })
    }

    pub(crate) fn jump(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or_default();
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        SystemClock.machine() + SignedDuration::from_micros(self.micros.load(Ordering::SeqCst))
    }

    fn machine(&self) -> Timestamp {
        self.now()
    }
}

/// A store with the engine over it.
pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    node: Arc<Node>,
    serving: CancellationToken,
    rounds: TaskTracker,
    _ownership: Ownership,
}

/// The engine's loops, until they are stopped.
pub(crate) struct Loops {
    settler: Settler,
    claiming: CancellationToken,
    serving: CancellationToken,
    working: TaskTracker,
    writing: tokio::task::JoinHandle<()>,
}

pub(crate) fn by() -> By {
    By::new(Actor::named("benchmark"), Source::CommandLine)
}

pub(crate) async fn open_store(place: &Place) -> Result<Store> {
    Ok(Store::open(&place.url, &place.folder).await?)
}

async fn publish(store: &Store, place: &Place, at: Timestamp) -> Result<Published> {
    let (revision, hash) = files::revision(place)?;
    let new = NewRevision {
        revision: &revision,
        hash: &hash,
        commit: None,
        sources: Vec::new(),
        at,
    };
    Ok(store.publish(new).await?)
}

/// Imports everybody. The flows of the variant are in force from here on.
pub(crate) async fn import_all(place: &Place) -> Result<()> {
    let store = open_store(place).await?;
    let published = publish(&store, place, people::monday()?).await?;
    let request = ImportRequest {
        input: Input {
            path: place.csv(),
            ..Input::default()
        },
        ..ImportRequest::default()
    };
    let (revision, clock) = (&published.revision, SystemClock);
    let report = import(&store, revision, &request, &by(), &clock, &|_| {}).await?;
    if report.created != place.customers {
        let (created, all) = (report.created, place.customers);
        bail!("{created} customers were created of {all}");
    }
    store.close().await;
    Ok(())
}

impl Rig {
    pub(crate) async fn open(
        place: &Place,
        clock: Arc<dyn Clock>,
        gateway: SharedGateway,
    ) -> Result<Self> {
        let store = open_store(place).await?;
        let ownership = store.own("the benchmark").await?;
        let published = publish(&store, place, clock.now()).await?;
        let is_shared = store.is_shared();
        let outlets = outlets(&published.revision, &gateway, is_shared);
        let catalog = Catalog::new(published, store.successors().await?);
        let (left, marks) = {
            let path = store.beside("handover");
            (Marks::left_behind(&path), Marks::open(&path)?)
        };
        let links = Links {
            public_url: "https://bank.example".to_owned(),
            key: LinkKey::new(store.link_key().await?),
        };
        let identity = (ownership.incarnation, store.instance_tag().await?);
        let duty = Duty::of(is_shared, "the benchmark");
        let work = (catalog, outlets);
        let engine = Engine::new(store, clock, identity, (marks, duty), links, work);
        let engine = Arc::new(engine);
        let node = Arc::new(Node::new(Arc::clone(&engine), left, ownership.last));
        node.begin().await?;
        let rig = Self {
            engine,
            node,
            serving: CancellationToken::new(),
            rounds: TaskTracker::new(),
            _ownership: ownership,
        };
        rig.keep_standing();
        Ok(rig)
    }

    /// A node on a server says again and again that it is there.
    fn keep_standing(&self) {
        if !self.engine.store.is_shared() {
            return;
        }
        let node = Arc::clone(&self.node);
        let round = move || {
            let node = Arc::clone(&node);
            async move { node.run_once().await }
        };
        let stop = self.serving.clone();
        self.rounds
            .spawn(beat("node", Pulse::silent(), stop, round));
    }

    /// Enrolls until nothing is left to look at; how many were enrolled.
    pub(crate) async fn enroll(&self, enroller: &Enroller) -> Result<u64> {
        let mut enrolled = 0;
        loop {
            let (pass, beat) = enroller.run_once().await?;
            enrolled += pass.enrolled;
            if beat != Beat::Now {
                return Ok(enrolled);
            }
        }
    }

    /// Activates the flows, and enrolls those who are members by now.
    pub(crate) async fn begin(&self, enroller: &Enroller) -> Result<u64> {
        let engine = Arc::clone(&self.engine);
        Parker::new(engine).run_once().await?;
        self.enroll(enroller).await
    }

    /// Starts what the daemon starts.
    pub(crate) fn start(&self) -> Loops {
        let engine = &self.engine;
        let (claiming, serving) = (CancellationToken::new(), CancellationToken::new());
        let working = TaskTracker::new();
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

    /// Wakes the loops, as any commit does.
    pub(crate) async fn wake(&self) -> Result<()> {
        let (store, clock) = (&self.engine.store, &self.engine.clock);
        let (machine, now) = (clock.machine(), clock.now());
        Ok(store.save_clock(machine, now, 1.0, true).await?)
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.serving.cancel();
        self.rounds.close();
        self.rounds.wait().await;
        let (engine, store) = (&self.engine, &self.engine.store);
        if store.is_shared() {
            engine.duty.leave(store, engine.incarnation).await?;
        }
        store.close().await;
        Ok(())
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

fn outlets(revision: &Revision, gateway: &SharedGateway, is_shared: bool) -> Outlets {
    let open = if is_shared {
        Outlet::shared
    } else {
        Outlet::new
    };
    let outlet = |config: &drumbeat::domain::gateway::ChannelConfig| {
        Arc::new(open(config.clone(), Arc::clone(gateway)))
    };
    let channels = revision.channels.iter();
    channels
        .map(|(channel, config)| (*channel, outlet(config)))
        .collect()
}

/// Waits until `done` says so; without any progress of what it counts for a while, the run has failed.
pub(crate) async fn until(
    what: &str,
    mut done: impl AsyncFnMut() -> Result<(bool, u64)>,
) -> Result<()> {
    const PATIENCE: Duration = Duration::from_mins(1);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        ticks.tick().await;
        let (is_done, count) = done().await?;
        if is_done {
            return Ok(());
        }
        if count != last {
            (last, moved) = (count, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            bail!("{what}: nothing has moved for {PATIENCE:?} after {count}");
        }
    }
}
