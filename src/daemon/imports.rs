//! Owns the daemon's work on files of customers: the watched folder, and letting go of what is past its time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::customers::error::Error;
use crate::customers::imports::folder::{Filed, Folder, Seen};
use crate::customers::imports::{spool, staging};
use crate::domain::audit::{Actor, By, Source};
use crate::domain::calendar;
use crate::domain::daemon_settings::ImportSettings;
use crate::domain::duration::Delay;
use crate::domain::import::FAILED_FILE;
use crate::engine::{Beat, Engine, FileOutcome, Pulse, beat};

/// Between two looks into the folder.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// For so long a file waits for somebody to save it.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

/// Looks into the watched folder until stopped; nothing when none is watched.
pub(super) fn watch(
    engine: &Arc<Engine>,
    settings: &ImportSettings,
    workspace: &Path,
    stop: &CancellationToken,
) -> Option<impl Future<Output = ()> + Send + 'static> {
    let folder = workspace.join(settings.folder.as_ref()?);
    let (engine, settings) = (Arc::clone(engine), Arc::new(settings.clone()));
    let seen = Arc::new(Mutex::new(Seen::default()));
    Some(beat("imports", Pulse::silent(), stop.clone(), move || {
        let (engine, settings) = (Arc::clone(&engine), Arc::clone(&settings));
        let (seen, folder) = (Arc::clone(&seen), folder.clone());
        async move {
            if !engine.duty.leads() || !folder.is_dir() {
                return Ok(Beat::Within(LOOK_EVERY));
            }
            let catalog = engine.catalog();
            let folder = Folder {
                store: &engine.store,
                revision: &catalog.published.revision,
                settings: &settings,
                path: folder,
                clock: engine.clock.as_ref(),
            };
            let filed = folder.run_once(&mut *seen.lock().await).await?;
            for one in &filed {
                tell(&engine, one).await?;
            }
            Ok::<Beat, Error>(Beat::Within(LOOK_EVERY))
        }
    }))
}

/// Says in the log, the metrics and the status what became of a file.
async fn tell(engine: &Engine, filed: &Filed) -> Result<(), Error> {
    let (file, now) = (&filed.name, engine.clock.machine());
    let outcome = match &filed.problem {
        None => {
            tracing::info!(file, "a file was imported");
            "done"
        }
        Some(problem) => {
            tracing::error!(file, problem, "a file could not be imported");
            let told = format!("{file}: {problem}");
            engine.store.ran(FAILED_FILE, now, Some(&told)).await?;
            "failed"
        }
    };
    let counted = FileOutcome { outcome };
    engine.metrics.import_files.get_or_create(&counted).inc();
    Ok(())
}

/// Removes files here that no open import needs: each node has its own.
pub(super) async fn sweep(engine: &Engine) {
    if let Err(error) = spool::sweep(&engine.store).await {
        tracing::warn!(%error, "cannot remove files of imports that are over");
    }
}

/// Lets go of files that nobody saved, and of what would take old imports back. How many rows.
pub(super) async fn prune(engine: &Engine, revertible: Delay) -> Result<u64, Error> {
    let (store, now) = (&engine.store, engine.clock.now());
    let by = By::new(Actor::drumbeat(), Source::Engine);
    for import in store.stale_imports(now - WAITS).await? {
        staging::discard(store, import, &by, now).await?;
    }
    store.forget_halted(now - WAITS).await?;
    spool::sweep(store).await?;
    let before = calendar::before(now, revertible, &engine.catalog().zone);
    Ok(store.prune_imports(before).await?)
}
