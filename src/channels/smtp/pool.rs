//! Owns the connections to a relay: how many at once, which are kept, when a rested one is given up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::channels::HandOver;

use super::connection::Connection;
use super::letter::Letter;
use super::relay::Relay;
use super::reply::Reply;
use super::stage::{Cause, Failure, Stage};

/// Some relays count; going first is cheaper than being shown out.
const MAILS_PER_CONNECTION: u32 = 1000;

/// A connection belongs to the pool only between two mails: who carries one owns it, so that a
/// dropped future or a panic closes it.
pub(super) struct Pool {
    relay: Relay,
    places: Semaphore,
    rested: Mutex<Rested>,
}

#[derive(Default)]
struct Rested {
    connections: Vec<(Instant, Connection)>,
    watched: bool,
}

impl Pool {
    pub(super) fn new(relay: Relay, connections: u32) -> Arc<Self> {
        Arc::new(Self {
            relay,
            places: Semaphore::new(connections.max(1) as usize),
            rested: Mutex::default(),
        })
    }

    /// Carries one mail over a rested connection, else over a new one.
    pub(super) async fn carry(
        self: &Arc<Self>,
        letter: &Letter,
        hand_over: &dyn HandOver,
    ) -> Result<Reply, Failure> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|closed| Failure::new(Stage::Connect, Cause::Lost(closed.to_string())))?;
        if let Some(mut rested) = self.take() {
            match rested.carry(letter, hand_over).await {
                // Not the mail's doing and never handed over: once more, on a connection of its own.
                Err(failure) if failure.is_stale() => drop(rested),
                result => return self.finish(rested, result),
            }
        }
        let mut fresh = self.relay.open().await?;
        let result = fresh.carry(letter, hand_over).await;
        self.finish(fresh, result)
    }

    fn finish(
        self: &Arc<Self>,
        connection: Connection,
        result: Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        if connection.is_settled() && connection.carried() < MAILS_PER_CONNECTION {
            self.keep(connection);
        } else if connection.is_settled() {
            self.dismiss(connection);
        }
        result
    }

    /// The one used last, so that the others grow old and close when there is less to do.
    fn take(&self) -> Option<Connection> {
        let (since, connection) = self.rested().connections.pop()?;
        (since.elapsed() < self.relay.timeouts.idle).then_some(connection)
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        let mut rested = self.rested();
        rested.connections.push((Instant::now(), connection));
        if !rested.watched {
            rested.watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    fn dismiss(&self, connection: Connection) {
        tokio::spawn(timeout(self.relay.timeouts.quit, connection.quit()));
    }

    /// Gives up what has rested too long; none left ends the watch.
    fn sweep(&self) -> bool {
        let mut rested = self.rested();
        let idle = self.relay.timeouts.idle;
        let old = rested
            .connections
            .extract_if(.., |(since, _)| since.elapsed() >= idle);
        for (_, connection) in old {
            self.dismiss(connection);
        }
        rested.watched = !rested.connections.is_empty();
        rested.watched
    }

    fn rested(&self) -> MutexGuard<'_, Rested> {
        self.rested.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(pool: Weak<Pool>) {
    loop {
        let Some(idle) = pool.upgrade().map(|pool| pool.relay.timeouts.idle) else {
            return;
        };
        sleep(idle).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}
