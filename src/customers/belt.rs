//! Owns the two ends between reading a file and writing its customers.

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

use super::error::Error;
use super::reading::{Batch, Belt, Input, Reading};
use crate::domain::revision::Revision;
use crate::store::Draft;

/// While one batch is written, the other one is read.
const BATCHES: usize = 2;

/// The writing side's ends.
pub(super) struct Filled {
    pub(super) batches: Receiver<Batch>,
    pub(super) drafts: Sender<Draft>,
}

pub(super) fn belt(reading: &Reading) -> Result<(Belt, Filled), Error> {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (emptied, drafts) = mpsc::channel(BATCHES);
    for _ in 0..BATCHES {
        // There is room for all of them.
        drop(emptied.try_send(reading.draft()?));
    }
    let belt = Belt {
        batches: sender,
        drafts,
    };
    let drafts = emptied;
    Ok((belt, Filled { batches, drafts }))
}

pub(super) async fn open(input: &Input, revision: &Revision) -> Result<Reading, Error> {
    let (input, revision) = (input.clone(), revision.clone());
    spawn_blocking(move || Reading::open(&input, &revision)).await?
}
