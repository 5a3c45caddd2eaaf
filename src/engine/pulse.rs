//! Owns the news that the store has changed, by this process or another.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// How often the store is asked whether anything was committed: the most that a change waits unseen.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A listener to changes. Each clone hears every change once.
#[derive(Debug, Clone)]
pub struct Pulse(watch::Receiver<i64>);

impl Pulse {
    /// Watches the store until stopped.
    pub fn watch(store: Store, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !stop.is_cancelled() {
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = ticks.tick() => look(&store, &sender).await,
                }
            }
        });
        (Self(receiver), task)
    }

    /// Waits for a change that this listener has not heard of.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn look(store: &Store, sender: &watch::Sender<i64>) {
    match store.data_version().await {
        Ok(version) => {
            sender.send_if_modified(|seen| std::mem::replace(seen, version) != version);
        }
        Err(error) => tracing::error!(%error, "cannot ask the store whether it changed"),
    }
}
