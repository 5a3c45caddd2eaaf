//! Owns the group commit of changes of single customers: what comes while one transaction is under way is
//! the next one together, with one flush to the disk, and as many trips to a server as for one of them.

use super::customer_edits;
use super::db::Store;
use super::error::{Error, Result};
use super::gathering::{Brought, FieldEdit};
use super::tx::Tx;

/// The most changes in one transaction: others want to write, too.
const TOGETHER: usize = 64;

impl Store {
    /// Writes an edit, perhaps with those of others; whether there was anything to change.
    pub(super) async fn edit(&self, edit: FieldEdit) -> Result<bool> {
        let (turn, answered) = match self.gathering.bring(edit).await {
            Brought::Done(done) => return done,
            Brought::Turn(turn, answered) => (turn, answered),
        };
        // In a task of its own: who waits may be gone before it is written, and others wait for it.
        let store = self.clone();
        let writing = tokio::spawn(async move {
            while store.gathering.is_awaited() {
                store.edit_together().await;
            }
            drop(turn);
        });
        let done = answered.await.unwrap_or(Err(Error::Busy));
        drop(writing);
        done
    }

    /// What cannot be written together is written one by one, so that nobody fails for another.
    async fn edit_together(&self) {
        let begun = self.begin().await;
        let waiting = self.gathering.take(TOGETHER);
        let edits: Vec<&FieldEdit> = waiting.iter().map(|waiting| &waiting.edit).collect();
        match write(begun, &edits).await {
            Ok(done) => {
                for (waiting, changed) in waiting.into_iter().zip(done) {
                    waiting.say(changed);
                }
            }
            Err(error) if waiting.len() > 1 => {
                tracing::warn!(%error, changes = waiting.len(), "cannot write together, trying one by one");
                for waiting in waiting {
                    let done = write(self.begin().await, &[&waiting.edit]).await;
                    waiting.say(done.and_then(|mut done| done.pop().unwrap_or(Err(Error::Busy))));
                }
            }
            Err(error) => {
                if let Some(waiting) = waiting.into_iter().next() {
                    waiting.say(Err(error));
                }
            }
        }
    }
}

async fn write(begun: Result<Tx>, edits: &[&FieldEdit]) -> Result<Vec<Result<bool>>> {
    let mut tx = begun?;
    let done = customer_edits::set_all(&mut tx, edits).await?;
    tx.commit().await?;
    Ok(done)
}
