//! Owns the life of the process: the order in which the rooms start, and the order in which they stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::Chosen;
use super::opening::{first_revision, links, listen, open_store, returns_key, site};
use super::options::{Failure, Options, other, unusable};
use super::parts::{self, Workshop};
use super::reading::{self, Reading, carry_out};
use super::reload::Reloader;
use super::signals::{Asked, Signals};
use super::site::{Site, state};
use super::{clock, housekeeping, imports, jobs, listening, systemd, webhooks};
use crate::clock::Clock;
use crate::domain::daemon_settings::ImportSettings;
use crate::domain::ids::Share;
use crate::engine::{
    Beat, CLAIMERS, Claimer, Duty, Engine, Enroller, Indexer, Marks, Node, Parker, Pulse, Settler,
    beat,
};
use crate::settings::Settings;
use crate::store::Ownership;
use crate::web;

/// In-flight messages get this long to finish when the daemon is told to stop.
const GRACE: Duration = Duration::from_secs(25);

/// What somebody in the same process holds of a daemon.
#[derive(Clone, Default)]
pub struct Control {
    /// Flow time; without it the daemon chooses its own.
    pub clock: Option<Arc<dyn Clock>>,
    /// Stops it as a signal would.
    pub stop: CancellationToken,
}

/// Runs until told to stop, or until idle when asked for that.
pub async fn run(options: Options, settings: Settings) -> Result<(), Failure> {
    Box::pin(run_under(options, settings, Control::default())).await
}

/// The same, with flow time and the end in the hands of the caller.
pub async fn run_under(
    options: Options,
    settings: Settings,
    control: Control,
) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(other)?;
    let workshop = Workshop {
        workspace: options.workspace.clone(),
        settings,
        returns: None,
        is_shared: false,
    };
    let reading = reading::read(&workshop).map_err(|error| {
        let workspace = options.workspace.display();
        Failure::Configuration(format!(
            "the workspace `{workspace}` cannot be read: {error}"
        ))
    })?;
    let started = start(&options, workshop, reading, control.clock).await?;
    systemd::ready("running");
    tokio::select! {
        () = started.serve(&mut signals, options.until_idle) => {}
        () = control.stop.cancelled() => {}
    }
    systemd::stopping();
    started.stop().await;
    Ok(())
}

struct Started {
    engine: Arc<Engine>,
    pulse: Pulse,
    hangup: Arc<Notify>,
    settler: Settler,
    /// Stops what takes on new work; then what finishes it; then the rest.
    claiming: CancellationToken,
    serving: CancellationToken,
    working: TaskTracker,
    writing: tokio::task::JoinHandle<()>,
    background: TaskTracker,
    scheduler: tokio_cron_scheduler::JobScheduler,
    _ownership: Ownership,
}

async fn start(
    options: &Options,
    mut workshop: Workshop,
    mut reading: Reading,
    clock: Option<Arc<dyn Clock>>,
) -> Result<Started, Failure> {
    let daemon_settings = reading.settings().clone();
    let store = open_store(options, &workshop.settings, &daemon_settings).await?;
    let host = host();
    workshop.is_shared = store.is_shared();
    let holder = format!("drumbeat run on {host}");
    let ownership = store.own(&holder).await.map_err(unusable)?;
    let returns = returns_key(&store, &workshop.settings, &daemon_settings);
    workshop.returns = Some(returns.await?);
    let chosen = clock::chosen(clock, &store, options.clock_scale);
    let Chosen { clock, kept } = chosen.await.map_err(other)?;
    let (published, outlets) = first_revision(&store, &workshop, &mut reading, &*clock).await?;
    let marks_path = store.beside("handover");
    let left = Marks::left_behind(&marks_path);
    let marks = Marks::open(&marks_path).map_err(other)?;
    let tag = store.instance_tag().await.map_err(other)?;
    let listener = listen(options, &workshop.settings, &daemon_settings).await?;
    let links = links(
        &store,
        &workshop.settings,
        &daemon_settings,
        listener.as_ref(),
    )
    .await?;
    let site = site(&store, &workshop.settings, &daemon_settings).await?;
    let places = webhooks::open(&store, &workshop.settings, &daemon_settings, &*clock).await?;
    let identity = (ownership.incarnation, tag);
    let catalog = parts::catalog(&store, published).await.map_err(other)?;
    let work = (Arc::clone(&catalog), outlets);
    let duty = Duty::of(store.is_shared(), &host);
    let engine = Engine::new(
        store.clone(),
        Arc::clone(&clock),
        identity,
        (marks, duty),
        links,
        work,
    );
    let engine = Arc::new(engine);
    let seen = show_files(&engine, &reading);
    let awaiting = store.awaiting().await.map_err(other)?;
    let awaits = awaiting.is_some_and(|awaiting| awaiting.hash == seen);
    engine.metrics.awaiting_approval.set(awaits.into());
    let node = Node::new(Arc::clone(&engine), left, ownership.last);
    node.begin().await.map_err(other)?;
    let scheduler = housekeeping::start(Arc::clone(&engine), &daemon_settings)
        .await
        .map_err(other)?;
    let started = Started::spawn(engine, ownership, scheduler, listener, site);
    started.spawn_imports(&daemon_settings.imports, &options.workspace);
    webhooks::spawn(&started.engine, places, &started.working, &started.claiming).await?;
    started.spawn_reloader(Reloader::new(
        Arc::clone(&started.engine),
        Arc::new(workshop),
        (seen, reading.sources.definitions()),
    ));
    started.spawn_clock(kept);
    started.spawn_node(node);
    Ok(started)
}

/// Says of the files whether they are good and running; their hash.
fn show_files(engine: &Engine, reading: &Reading) -> String {
    let (catalog, seen) = (engine.catalog(), reading.sources.hash().to_owned());
    let is_wrong = reading.checked.revision.is_none();
    engine.metrics.check_failed.set(is_wrong.into());
    let differs = seen != catalog.published.hash;
    engine.metrics.files_differ.set(differs.into());
    engine.duty.show(Some(seen.clone()), catalog.number().0);
    seen
}

impl Started {
    fn spawn(
        engine: Arc<Engine>,
        ownership: Ownership,
        scheduler: tokio_cron_scheduler::JobScheduler,
        listener: Option<TcpListener>,
        site: Site,
    ) -> Self {
        let (claiming, serving) = (CancellationToken::new(), CancellationToken::new());
        let (working, background) = (TaskTracker::new(), TaskTracker::new());
        let (pulse, watching) = Pulse::watch(engine.store.clone(), serving.clone());
        background.spawn(watching);
        let (settler, outcomes) = Settler::new(Arc::clone(&engine));
        let writing = tokio::spawn(Settler::write(Arc::clone(&engine), outcomes));
        let turned = Arc::new(AtomicI64::new(engine.clock.machine().as_second()));
        for share in Share::all(CLAIMERS) {
            let claimer = Claimer::new(Arc::clone(&engine), settler.clone(), share);
            working.spawn(claim(claimer, &engine, &pulse, &claiming, &turned));
        }
        working.spawn(enroll(&engine, &pulse, &claiming));
        working.spawn(park(&engine, &pulse, &claiming));
        for _ in 0..jobs::AT_ONCE {
            working.spawn(jobs::work(&engine, &claiming));
        }
        working.spawn(index(&engine, &claiming));
        if let Some(listener) = listener {
            let state = state(&engine, site, turned);
            let stop = serving.clone();
            background.spawn(async move {
                if let Err(error) = web::serve(listener, state, stop).await {
                    tracing::error!(%error, "cannot serve HTTP");
                }
            });
        }
        // While outcomes come in, receipts may.
        background.spawn(listening::listen(Arc::clone(&engine), serving.clone()));
        background.spawn(listening::inquire(Arc::clone(&engine), serving.clone()));
        let (store, clock) = (engine.store.clone(), Arc::clone(&engine.clock));
        background.spawn(systemd::watchdog(store, clock, claiming.clone()));
        Self {
            engine,
            pulse,
            hangup: Arc::new(Notify::new()),
            settler,
            claiming,
            serving,
            working,
            writing,
            background,
            scheduler,
            _ownership: ownership,
        }
    }

    fn spawn_imports(&self, settings: &ImportSettings, workspace: &Path) {
        let watching = imports::watch(&self.engine, settings, workspace, &self.claiming);
        if let Some(watching) = watching {
            self.working.spawn(watching);
        }
    }

    fn spawn_reloader(&self, reloader: Reloader) {
        carry_out(&self.engine.store, &self.engine.clock);
        let hangup = Arc::clone(&self.hangup);
        self.background
            .spawn(reloader.run(self.pulse.clone(), hangup, self.claiming.clone()));
    }

    fn spawn_node(&self, node: Node) {
        if !self.engine.store.is_shared() {
            return;
        }
        let node = Arc::new(node);
        let round = move || {
            let node = Arc::clone(&node);
            async move { node.run_once().await }
        };
        // Until the outcomes are stored: buckets are kept for those.
        let (pulse, stop) = (Pulse::silent(), self.serving.clone());
        self.background.spawn(beat("node", pulse, stop, round));
    }

    fn spawn_clock(&self, scale: Option<f64>) {
        let (store, clock) = (self.engine.store.clone(), Arc::clone(&self.engine.clock));
        let Some(scale) = scale else { return };
        self.background
            .spawn(clock::keep(store, clock, scale, self.serving.clone()));
    }

    /// Waits for the end: a signal, or nothing left to do.
    async fn serve(&self, signals: &mut Signals, until_idle: bool) {
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop => return,
                    Asked::Reload => self.hangup.notify_one(),
                },
                () = self.idle(), if until_idle => {
                    tracing::info!("nothing left to do");
                    return;
                }
            }
        }
    }

    /// Waits until nobody waits and nothing is in flight, seen so twice in a row.
    async fn idle(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut seen = 0;
        while seen < 2 {
            ticks.tick().await;
            let in_flight: u32 = self
                .engine
                .outlets()
                .values()
                .map(|outlet| outlet.in_flight())
                .sum();
            let idle = self.engine.store.is_idle().await.unwrap_or(false);
            seen = if idle && in_flight == 0 { seen + 1 } else { 0 };
        }
    }

    /// No new work; what is in flight ends or times out; outcomes are stored; then the rest.
    async fn stop(mut self) {
        tracing::info!("stopping");
        self.engine.duty.retire();
        self.claiming.cancel();
        self.working.close();
        self.working.wait().await;
        if tokio::time::timeout(GRACE, self.settler.drained())
            .await
            .is_err()
        {
            tracing::warn!("messages were still in flight: the next start takes them over");
        }
        drop(self.settler);
        if tokio::time::timeout(GRACE, self.writing).await.is_err() {
            tracing::warn!("outcomes were still to be stored: the next start takes them over");
        }
        self.serving.cancel();
        self.background.close();
        let ends = async {
            self.background.wait().await;
            leave(&self.engine).await;
        };
        if tokio::time::timeout(GRACE, ends).await.is_err() {
            tracing::warn!("the database does not answer: it is left without a word");
            self.engine.store.let_go();
        }
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!(%error, "cannot stop the scheduler");
        }
        self.engine.store.close().await;
        tracing::info!("stopped");
    }
}

/// Others may have what this node held.
async fn leave(engine: &Engine) {
    if !engine.store.is_shared() {
        return;
    }
    if let Err(error) = engine.duty.leave(&engine.store, engine.incarnation).await {
        tracing::warn!(%error, "cannot leave: others take over when this node's time is over");
    }
}

/// The name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

fn claim(
    claimer: Claimer,
    engine: &Arc<Engine>,
    pulse: &Pulse,
    stop: &CancellationToken,
    turned: &Arc<AtomicI64>,
) -> impl Future<Output = ()> + Send + 'static {
    let claimer = Arc::new(claimer);
    let (turned, clock) = (Arc::clone(turned), Arc::clone(&engine.clock));
    beat("claim", pulse.clone(), stop.clone(), move || {
        turned.store(clock.machine().as_second(), Ordering::Relaxed);
        let claimer = Arc::clone(&claimer);
        async move { claimer.run_once().await }
    })
}

fn enroll(
    engine: &Arc<Engine>,
    pulse: &Pulse,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let enroller = Arc::new(Enroller::new(Arc::clone(engine)));
    beat("enroll", pulse.clone(), stop.clone(), move || {
        let enroller = Arc::clone(&enroller);
        async move { enroller.run_once().await.map(|(_, beat): (_, Beat)| beat) }
    })
}

fn park(
    engine: &Arc<Engine>,
    pulse: &Pulse,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let parker = Arc::new(Parker::new(Arc::clone(engine)));
    beat("park", pulse.clone(), stop.clone(), move || {
        let parker = Arc::clone(&parker);
        async move { parker.run_once().await }
    })
}

/// It asks now and then, and hears of no change.
fn index(
    engine: &Arc<Engine>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let indexer = Arc::new(Indexer::new(Arc::clone(engine)));
    beat("index", Pulse::silent(), stop.clone(), move || {
        let indexer = Arc::clone(&indexer);
        async move { indexer.run_once().await }
    })
}
