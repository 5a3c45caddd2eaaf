//! Owns changes that wait for the writer of a file: whoever gets the turn writes for all who wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::error::{Error, Result};
use super::tx::Tx;

/// A change that is small, and may be written together with others': it writes all it has to, or fails
/// before it wrote anything with [`Error::NotFound`] or [`Error::Conflict`].
pub(super) trait Change: Send + Sync {
    /// Whether there was anything to change.
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<bool>>;
}

/// A change, and who waits for it.
pub(super) struct Waiting {
    pub(super) change: Box<dyn Change>,
    pub(super) answer: oneshot::Sender<Result<bool>>,
}

impl Waiting {
    /// Who has gone meanwhile hears nothing.
    pub(super) fn say(self, changed: Result<bool>) {
        let _heard = self.answer.send(changed);
    }
}

/// Those who wait, and the turn.
#[derive(Default)]
pub(super) struct Gathering {
    turn: Arc<tokio::sync::Mutex<()>>,
    waiting: Mutex<Vec<Waiting>>,
}

/// What to do for a change that was brought.
pub(super) enum Brought {
    /// Somebody wrote it.
    Done(Result<bool>),
    /// To write for all who wait, and then to hear how it went.
    Turn(OwnedMutexGuard<()>, oneshot::Receiver<Result<bool>>),
}

impl Gathering {
    pub(super) async fn bring(&self, change: Box<dyn Change>) -> Brought {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { change, answer });
        tokio::select! {
            biased;
            done = &mut answered => Brought::Done(done.unwrap_or(Err(Error::Busy))),
            turn = Arc::clone(&self.turn).lock_owned() => Brought::Turn(turn, answered),
        }
    }

    /// The first of those who wait, at most so many.
    pub(super) fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(most);
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Gathering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gathering").finish_non_exhaustive()
    }
}
