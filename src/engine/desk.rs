//! Owns the turn at the store's writer: whoever gets it writes for all who wait.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::store::{Claimed, Error, Result, Store, Work};

/// Claims and outcomes come from several loops at once; while one of them writes, the others' work
/// gathers, and is the next transaction together.
#[derive(Default)]
pub(super) struct Desk {
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Waiting>>,
}

struct Waiting {
    work: Work,
    answer: oneshot::Sender<Result<Claimed>>,
}

impl Desk {
    /// Writes the work, perhaps with that of others; what it claimed.
    pub(super) async fn write(&self, store: &Store, work: Work) -> Result<Claimed> {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { work, answer });
        let turn = tokio::select! {
            biased;
            done = &mut answered => return done.unwrap_or(Err(Error::Busy)),
            turn = self.turn.lock() => turn,
        };
        let works = std::mem::take(&mut *self.waiting());
        write_all(store, works).await;
        drop(turn);
        answered.await.unwrap_or(Err(Error::Busy))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What cannot be written together is written one by one, so that nobody fails for another.
async fn write_all(store: &Store, waiting: Vec<Waiting>) {
    let (works, answers): (Vec<Work>, Vec<_>) = waiting
        .into_iter()
        .map(|waiting| (waiting.work, waiting.answer))
        .unzip();
    if works.is_empty() {
        return;
    }
    match store.write_together(&works).await {
        Ok(claimed) => {
            for (answer, claimed) in answers.into_iter().zip(claimed) {
                say(answer, Ok(claimed));
            }
        }
        Err(error) if works.len() > 1 => {
            tracing::warn!(%error, works = works.len(), "cannot write together, trying one by one");
            for (answer, work) in answers.into_iter().zip(&works) {
                // Claims that may be written are not written again: whoever decided them looks.
                if error.leaves_doubt() && matches!(work, Work::Decided { .. }) {
                    say(answer, Err(Error::InDoubt));
                    continue;
                }
                let claimed = store.write_together(std::slice::from_ref(work)).await;
                say(answer, claimed.map(|mut all| all.pop().unwrap_or_default()));
            }
        }
        Err(error) => {
            if let Some(answer) = answers.into_iter().next() {
                say(answer, Err(error));
            }
        }
    }
}

fn say(answer: oneshot::Sender<Result<Claimed>>, claimed: Result<Claimed>) {
    if answer.send(claimed).is_err() {
        tracing::error!("who wrote is gone");
    }
}
