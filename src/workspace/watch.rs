//! Owns the news that files have changed. Folders are watched, never files, and any event means "read them all again".

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::source;

/// Events are gathered until the folder has been quiet for this long,
const QUIET: Duration = Duration::from_millis(300);
/// but no longer than this, where something is written all the time.
const AT_MOST: Duration = Duration::from_secs(3);

/// Watches a workspace as long as it is kept.
pub struct Watch {
    root: PathBuf,
    watcher: RecommendedWatcher,
    changed: mpsc::Receiver<()>,
    heard: Option<Heard>,
}

/// Events since the files were read.
struct Heard {
    first: Instant,
    last: Instant,
}

impl Heard {
    fn again(before: Option<Self>) -> Self {
        let last = Instant::now();
        let first = before.map_or(last, |heard| heard.first);
        Self { first, last }
    }

    fn is_whole_at(&self) -> Instant {
        (self.last + QUIET).min(self.first + AT_MOST)
    }
}

impl Watch {
    /// Watches the folder and every folder in it that may hold files of the workspace.
    pub fn start(dir: &Path) -> notify::Result<Self> {
        let (sender, changed) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_only_read(event.kind)) {
                return;
            }
            // One waiting word is enough: whoever hears it reads everything.
            let _full = sender.try_send(());
        })?;
        let mut watch = Self {
            root: dir.to_owned(),
            watcher,
            changed,
            heard: None,
        };
        watch.watcher.watch(dir, RecursiveMode::NonRecursive)?;
        watch.watch_folders()?;
        Ok(watch)
    }

    /// Waits for the next change, and until it is whole. Nothing is lost when it is not waited to its end.
    pub async fn changed(&mut self) {
        loop {
            let whole = self.heard.as_ref().map(Heard::is_whole_at);
            let event = async {
                match whole {
                    Some(whole) => timeout_at(whole, self.changed.recv()).await.ok(),
                    None => Some(self.changed.recv().await),
                }
            };
            match event.await {
                Some(Some(())) => self.heard = Some(Heard::again(self.heard.take())),
                Some(None) => std::future::pending().await,
                None => break,
            }
        }
        self.heard = None;
        // A folder that is new must be watched, too; the slow re-scan stands in where that fails.
        if let Err(error) = self.watch_folders() {
            tracing::warn!(%error, "cannot watch a folder of the workspace");
        }
    }

    fn watch_folders(&mut self) -> notify::Result<()> {
        for folder in source::folders(&self.root)? {
            self.watcher.watch(&folder, RecursiveMode::Recursive)?;
        }
        Ok(())
    }
}

/// Whoever reads the files again opens them, which must not be news for them.
fn is_only_read(event: EventKind) -> bool {
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    event.is_access() && event != written
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_change_is_news_and_reading_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("drumbeat.yaml");
        std::fs::write(&file, "timezone: UTC\n").unwrap();
        let mut watch = Watch::start(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "timezone: UTC\n");
        assert!(timeout(QUIET * 2, watch.changed()).await.is_err());
        std::fs::write(&file, "timezone: Asia/Tokyo\n").unwrap();
        assert!(timeout(SOON, watch.changed()).await.is_ok());
    }

    #[tokio::test]
    async fn a_change_is_told_to_one_who_stops_waiting_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::start(folder.path()).unwrap();
        std::fs::write(folder.path().join("drumbeat.yaml"), "").unwrap();
        let told = async { while timeout(QUIET / 10, watch.changed()).await.is_err() {} };
        assert!(timeout(SOON, told).await.is_ok());
    }

    #[tokio::test]
    async fn a_change_is_told_even_where_something_is_written_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::start(folder.path()).unwrap();
        let log = folder.path().join("log");
        let writing = async {
            loop {
                std::fs::write(&log, "again").unwrap();
                tokio::time::sleep(QUIET / 3).await;
            }
        };
        tokio::select! {
            told = timeout(SOON, watch.changed()) => assert!(told.is_ok()),
            () = writing => {}
        }
    }
}
