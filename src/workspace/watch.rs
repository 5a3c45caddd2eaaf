//! Owns the news that files have changed. Folders are watched, never files, and any event means "read them all again".

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::mpsc;

use super::source;

/// Events are gathered until the folder has been quiet for this long.
const QUIET: Duration = Duration::from_millis(300);

/// Watches a workspace as long as it is kept.
pub struct Watch {
    root: PathBuf,
    debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
    changed: mpsc::Receiver<()>,
}

impl Watch {
    /// Watches the folder and every folder in it that may hold files of the workspace.
    pub fn start(dir: &Path) -> notify::Result<Self> {
        let (sender, changed) = mpsc::channel(1);
        let debouncer = new_debouncer(QUIET, None, move |_| {
            // One waiting word is enough: whoever hears it reads everything.
            let _full = sender.try_send(());
        })?;
        let mut watch = Self {
            root: dir.to_owned(),
            debouncer,
            changed,
        };
        watch.debouncer.watch(dir, RecursiveMode::NonRecursive)?;
        watch.watch_folders()?;
        Ok(watch)
    }

    /// Waits for the next change.
    pub async fn changed(&mut self) {
        if self.changed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        // A folder that is new must be watched, too; the slow re-scan stands in where that fails.
        if let Err(error) = self.watch_folders() {
            tracing::warn!(%error, "cannot watch a folder of the workspace");
        }
    }

    fn watch_folders(&mut self) -> notify::Result<()> {
        for folder in source::folders(&self.root)? {
            self.debouncer.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(())
    }
}
