//! Owns the group commit of changes of single customers.
//!
//! In a file every commit is a flush to the disk, one after the other: what comes while one is under way
//! is the next transaction together. A server does that itself for those who write beside each other.

use super::db::Store;
use super::error::{Error, Result};
use super::gathering::{Brought, Change, Waiting};
use super::tx::Pool;

/// The most changes in one transaction: others want to write, too.
const TOGETHER: usize = 64;

impl Store {
    /// Writes a change, perhaps with those of others; whether there was anything to change.
    pub(super) async fn change(&self, change: impl Change + 'static) -> Result<bool> {
        if let Pool::Postgres(_) = &self.writers {
            return self.change_alone(&change).await;
        }
        let (turn, answered) = match self.gathering.bring(Box::new(change)).await {
            Brought::Done(done) => return done,
            Brought::Turn(turn, answered) => (turn, answered),
        };
        // In a task of its own: who waits may be gone before it is written, and others wait for it.
        let store = self.clone();
        let writing = tokio::spawn(async move {
            store.change_together().await;
            drop(turn);
        });
        let done = answered.await.unwrap_or(Err(Error::Busy));
        drop(writing);
        done
    }

    async fn change_alone(&self, change: &dyn Change) -> Result<bool> {
        let mut tx = self.begin().await?;
        let changed = change.write(&mut tx).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// What cannot be written together is written one by one, so that nobody fails for another.
    async fn change_together(&self) {
        let begun = self.begin().await;
        let waiting = self.gathering.take(TOGETHER);
        let together = async {
            let mut tx = begun?;
            let mut all = Vec::with_capacity(waiting.len());
            for Waiting { change, .. } in &waiting {
                match change.write(&mut tx).await {
                    Err(error @ (Error::NotFound(_) | Error::Conflict(_))) => all.push(Err(error)),
                    changed => all.push(Ok(changed?)),
                }
            }
            tx.commit().await?;
            Ok::<_, Error>(all)
        };
        match together.await {
            Ok(all) => {
                for (waiting, changed) in waiting.into_iter().zip(all) {
                    waiting.say(changed);
                }
            }
            Err(error) => {
                tracing::warn!(%error, changes = waiting.len(), "cannot write together, trying one by one");
                for waiting in waiting {
                    let changed = self.change_alone(&*waiting.change).await;
                    waiting.say(changed);
                }
            }
        }
    }
}
