//! Owns a daemon that is stepped by hand: the real store and loops, a clock that stands still, a gateway that remembers.
//!
//! Dropping it with a message in flight fails the test: nothing may be left hanging.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use drumbeat::clock::Clock;
use drumbeat::domain::calendar;
use drumbeat::domain::channel::Lane;
use drumbeat::domain::ids::{Share, Stripes};
use drumbeat::domain::link::LinkKey;
use drumbeat::engine::{
    Beat, Catalog, Claimer, Done, Duty, Engine, Enroller, Left, Links, Marks, Outlet, Outlets,
    Parker, Remains, Rescued, Settler, rescue,
};
use drumbeat::store::{NewRevision, Ownership, Pass, Published, Store};
use drumbeat::workspace::{self, render};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::hand_clock::HandClock;
use super::outbox::Outbox;
use super::written::{BASE, policy};
use crate::rig::home::Home;

/// A Monday.
pub(super) const START: &str = "2026-01-05T10:00:00Z";
const SOON: Duration = Duration::from_millis(1);

/// One start of the daemon.
struct Running {
    engine: Arc<Engine>,
    enroller: Enroller,
    parker: Parker,
    claimer: Claimer,
    outcomes: UnboundedReceiver<Done>,
    ownership: Option<Ownership>,
}

pub(super) struct Rig {
    pub(super) folder: TempDir,
    pub(super) home: Home,
    pub(super) store: Store,
    pub(super) clock: Arc<HandClock>,
    pub(super) outbox: Arc<Outbox>,
    running: Running,
}

impl Rig {
    /// A daemon on the base workspace with these files beside it. Nothing has run yet.
    pub(super) async fn start(files: &[(&str, &str)]) -> Self {
        Self::start_at(START, files).await
    }

    /// A daemon with one flow in the file `flows/f.yaml`.
    pub(super) async fn with(flow: &str) -> Self {
        Self::start(&[("flows/f.yaml", flow)]).await
    }

    pub(super) async fn start_at(start: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain = policy("");
        for (path, text) in BASE.iter().chain(&[("flows/policy.yaml", plain.as_str())]) {
            write(&folder, path, text);
        }
        for (path, text) in files {
            write(&folder, path, text);
        }
        let home = Home::of_the_run(folder.path()).await;
        let store = home.open(folder.path()).await;
        let clock = HandClock::at(start.parse().unwrap());
        let outbox = Outbox::new(Arc::clone(&clock));
        let running = Running::new(&folder, &store, &clock, &outbox).await;
        Self {
            folder,
            home,
            store,
            clock,
            outbox,
            running,
        }
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.running.engine
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        write(&self.folder, path, text);
    }

    /// Publishes the files as they are, the way a reload does, and lets the engine come to rest.
    pub(super) async fn publish(&mut self) {
        let published = publish(&self.folder, &self.store, self.now()).await;
        let outlets = outlets(&published, &self.outbox, &self.engine().outlets());
        let catalog = Catalog::new(published, self.store.successors().await.unwrap());
        self.engine().install(catalog, outlets);
        self.settle().await;
    }

    /// Writes a file and publishes.
    pub(super) async fn edit(&mut self, path: &str, text: &str) {
        self.write(path, text);
        self.publish().await;
    }

    /// Removes a file and publishes.
    pub(super) async fn remove(&mut self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
        self.publish().await;
    }

    /// Runs all loops until nothing is due now and nothing is in flight.
    pub(super) async fn settle(&mut self) {
        self.running.renew(&self.store).await;
        for _ in 0..5_000 {
            if !self.turn().await {
                return;
            }
        }
        panic!("the engine does not come to rest");
    }

    /// One round of all loops; whether anything happened.
    pub(super) async fn turn(&mut self) -> bool {
        let parked = self.park().await;
        let enrolled = self.enroll().await;
        let claimed = self.claim().await;
        parked || enrolled || claimed
    }

    /// One pass of the parker; whether there was anything to do.
    pub(super) async fn park(&mut self) -> bool {
        self.running.parker.run_once().await.unwrap() == Beat::Now
    }

    /// One pass of the enroller.
    pub(super) async fn enroll(&mut self) -> bool {
        let (pass, beat) = self.enroll_once().await;
        pass != Pass::default() || beat == Beat::Now
    }

    /// What one pass of the enroller did, and when it wants to be asked again.
    pub(super) async fn enroll_once(&self) -> (Pass, Beat) {
        self.running.enroller.run_once().await.unwrap()
    }

    pub(super) async fn enroller_waits(&self) -> Beat {
        self.enroll_once().await.1
    }

    /// One pass of the claimer, and the settling of what it sent.
    pub(super) async fn claim(&mut self) -> bool {
        let beat = self.take_out().await;
        let settled = self.bring_back().await;
        let again = match beat {
            Beat::Now => true,
            Beat::Within(wait) => wait <= SOON,
        };
        settled > 0 || again
    }

    /// One pass of the claimer; its messages stay out until [`Rig::bring_back`].
    pub(super) async fn take_out(&mut self) -> Beat {
        self.running.claimer.run_once().await.unwrap()
    }

    /// One pass of the claimer by a daemon that dies before anything is settled: what it sent.
    pub(super) async fn claim_and_die(&mut self) -> usize {
        self.take_out().await;
        let flying = self.flying();
        for _ in 0..flying {
            drop(self.running.outcomes.recv().await.unwrap());
        }
        flying
    }

    fn flying(&self) -> usize {
        let outlets = self.engine().outlets();
        let flying: u32 = outlets.values().map(|outlet| outlet.in_flight()).sum();
        usize::try_from(flying).unwrap()
    }

    /// Settles everything that is out; how much it was.
    pub(super) async fn bring_back(&mut self) -> usize {
        let flying = self.flying();
        if flying == 0 {
            return 0;
        }
        let (done, written) = mpsc::unbounded_channel();
        for _ in 0..flying {
            done.send(self.running.outcomes.recv().await.unwrap())
                .unwrap();
        }
        drop(done);
        Settler::write(Arc::clone(self.engine()), written).await;
        flying
    }

    /// Lets time pass with the daemon running: whatever falls due is done at its time.
    pub(super) async fn advance(&mut self, span: &str) {
        let end = self.in_(span);
        self.settle().await;
        while let Some(next) = self.next_due().await.filter(|next| *next <= end) {
            self.clock.set(next);
            self.settle().await;
        }
        self.clock.set(end);
        self.settle().await;
    }

    /// The same, waking every `step` beside: what time alone changes is seen then.
    pub(super) async fn live(&mut self, span: &str, step: &str) {
        let end = self.in_(span);
        while self.now() < end {
            self.advance(step).await;
        }
    }

    /// Lets time pass with the daemon away.
    pub(super) fn sleep(&self, span: &str) {
        self.clock.set(self.in_(span));
    }

    fn in_(&self, span: &str) -> Timestamp {
        let zone = &self.engine().catalog().zone;
        calendar::after(self.now(), span.parse().unwrap(), zone)
    }

    async fn next_due(&self) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        for lane in Lane::ALL {
            let due = self.store.next_due(lane).await.unwrap();
            let due = due.filter(|due| *due > self.now());
            next = next.into_iter().chain(due).min();
        }
        next
    }

    /// What was tried since the last look, one line a try.
    pub(super) fn sent(&self) -> Vec<String> {
        let tries = self.outbox.take();
        let mut lines: Vec<String> = tries.iter().map(super::outbox::Try::line).collect();
        lines.sort();
        lines
    }

    /// Another start of the daemon, on what the last one left.
    pub(super) async fn restart(&mut self, left: &Left) -> Rescued {
        self.running.ownership = None;
        self.running = Running::new(&self.folder, &self.store, &self.clock, &self.outbox).await;
        let engine = self.engine();
        let remains = Remains { left, of: None };
        rescue(engine, &engine.catalog(), &Stripes::all(), &remains)
            .await
            .unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.flying(), 0, "messages are left in flight");
        }
    }
}

impl Running {
    async fn new(
        folder: &TempDir,
        store: &Store,
        clock: &Arc<HandClock>,
        outbox: &Arc<Outbox>,
    ) -> Self {
        let ownership = store.own("a test").await.unwrap();
        let published = publish(folder, store, clock.now()).await;
        let outlets = outlets(&published, outbox, &Outlets::new());
        let catalog = Catalog::new(published, store.successors().await.unwrap());
        let marks = Marks::open(&store.beside("handover")).unwrap();
        let tag = store.instance_tag().await.unwrap();
        let duty = Duty::of(store.is_shared(), "a test");
        let engine = Arc::new(Engine::new(
            store.clone(),
            Arc::clone(clock) as Arc<dyn Clock>,
            (ownership.incarnation, tag),
            (marks, Arc::clone(&duty)),
            Links {
                public_url: "https://bank.example".to_owned(),
                key: LinkKey::new([7; 32]),
            },
            (catalog, outlets),
        ));
        let (settler, outcomes) = Settler::new(Arc::clone(&engine));
        let running = Self {
            enroller: Enroller::new(Arc::clone(&engine)),
            parker: Parker::new(Arc::clone(&engine)),
            claimer: Claimer::new(Arc::clone(&engine), settler, Share::WHOLE),
            engine,
            outcomes,
            ownership: Some(ownership),
        };
        running.renew(store).await;
        running
    }

    /// On a server a node that says nothing is soon taken for gone.
    async fn renew(&self, store: &Store) {
        if store.is_shared() {
            let engine = &self.engine;
            let round = engine.duty.round(store, engine.incarnation).await.unwrap();
            engine.duty.add(&round.taken);
        }
    }
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

async fn publish(folder: &TempDir, store: &Store, at: Timestamp) -> Published {
    let sources = workspace::load(folder.path()).unwrap();
    let checked = workspace::check(&sources);
    let said = render::text(&sources, &checked.diagnostics, false);
    let revision = checked.revision.unwrap_or_else(|| panic!("{said}"));
    let new = NewRevision {
        revision: &revision,
        hash: sources.hash(),
        commit: None,
        sources: Vec::new(),
        at,
    };
    store.publish(new).await.unwrap()
}

/// A channel whose configuration is unchanged keeps its outlet, as in the daemon.
fn outlets(published: &Published, outbox: &Arc<Outbox>, current: &Outlets) -> Outlets {
    let configs = published.revision.channels.iter();
    configs
        .map(|(channel, config)| {
            let kept = current.get(channel).filter(|kept| kept.config == *config);
            let opened = || {
                let gateway = outbox.gateway(*channel, config.gateway.devices());
                Arc::new(Outlet::new(config.clone(), gateway))
            };
            (*channel, kept.map_or_else(opened, Arc::clone))
        })
        .collect()
}
