//! Owns the news that the store has changed, by this process or another.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// How often the store is asked whether another process has written: the most that its change waits unseen.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The most often that listeners hear of changes: each of them then reads.
const REST: Duration = Duration::from_millis(8);
/// A commit of our own is looked for this often, from its beginning until it can be seen.
const UNTIL_SEEN: Duration = Duration::from_millis(1);
const LOOKS: u32 = 40;

/// A listener to changes. Each clone hears every change once.
#[derive(Debug, Clone)]
pub struct Pulse(watch::Receiver<i64>);

impl Pulse {
    /// Watches the store until stopped.
    pub fn watch(store: Store, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = watch::channel(0);
        let task = tokio::spawn(async move {
            while !stop.is_cancelled() {
                let looks = tokio::select! {
                    () = stop.cancelled() => break,
                    () = store.committing() => LOOKS,
                    () = tokio::time::sleep(LOOK_EVERY) => 1,
                };
                if look(&store, &sender, looks).await {
                    tokio::time::sleep(REST).await;
                }
            }
        });
        (Self(receiver), task)
    }

    /// Hears of nothing.
    pub fn silent() -> Self {
        Self(watch::channel(0).1)
    }

    /// Waits for a change that this listener has not heard of.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Looks until there is something new, at most so many times; whether there was.
async fn look(store: &Store, sender: &watch::Sender<i64>, looks: u32) -> bool {
    for left in (0..looks).rev() {
        match store.data_version().await {
            Ok(version) => {
                if sender.send_if_modified(|seen| std::mem::replace(seen, version) != version) {
                    return true;
                }
            }
            Err(error) => tracing::error!(%error, "cannot ask the store whether it changed"),
        }
        if left > 0 {
            tokio::time::sleep(UNTIL_SEEN).await;
        }
    }
    false
}
