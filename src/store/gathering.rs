//! Owns fields of customers that people set at the same time: whoever gets the turn writes for all who wait.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::{Error, Result};
use crate::domain::audit::By;
use crate::domain::customer::FieldValue;
use crate::domain::customer_version::Version;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;

/// Fields of one customer that somebody sets; none clears.
#[derive(Debug)]
pub(super) struct FieldEdit {
    pub(super) customer: CustomerId,
    pub(super) fields: Vec<(String, Option<FieldValue>)>,
    pub(super) model: DataModel,
    pub(super) by: By,
    pub(super) at: Timestamp,
    /// The versions under which it is to be made; none: whatever the customer is like.
    pub(super) seen: Option<Vec<Version>>,
}

/// An edit, and who waits to hear whether it changed anything.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) edit: FieldEdit,
    answer: oneshot::Sender<Result<bool>>,
}

/// Those who wait, and how many write at a time.
#[derive(Debug)]
pub(super) struct Gathering {
    turns: Arc<Semaphore>,
    waiting: Mutex<Vec<Waiting>>,
}

/// What became of an edit that was brought.
pub(super) enum Brought {
    /// Somebody wrote it.
    Done(Result<bool>),
    /// Whoever brought it writes for all who wait, and then hears how it went.
    Turn(
        Option<OwnedSemaphorePermit>,
        oneshot::Receiver<Result<bool>>,
    ),
}

impl Waiting {
    /// Who has gone meanwhile hears nothing.
    pub(super) fn say(self, changed: Result<bool>) {
        let _heard = self.answer.send(changed);
    }
}

impl Gathering {
    pub(super) fn new(turns: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            waiting: Mutex::default(),
        }
    }

    pub(super) async fn bring(&self, edit: FieldEdit) -> Brought {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { edit, answer });
        tokio::select! {
            biased;
            done = &mut answered => Brought::Done(done.unwrap_or(Err(Error::Busy))),
            turn = Arc::clone(&self.turns).acquire_owned() => Brought::Turn(turn.ok(), answered),
        }
    }

    /// Whether anybody waits.
    pub(super) fn is_awaited(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// At most so many of those who wait, in their order: of each customer one, and all of one data model.
    pub(super) fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let (mut taken, mut left): (Vec<Waiting>, Vec<Waiting>) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for one in waiting.drain(..) {
            let is_alike = taken
                .first()
                .is_none_or(|first| first.edit.model == one.edit.model);
            let is_first = seen.insert(one.edit.customer);
            if taken.len() < most && is_alike && is_first {
                taken.push(one);
            } else {
                left.push(one);
            }
        }
        *waiting = left;
        taken
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Actor, Source};

    fn edit(customer: i64) -> FieldEdit {
        FieldEdit {
            customer: CustomerId(customer),
            fields: Vec::new(),
            model: DataModel::default(),
            by: By::new(Actor::named("ana"), Source::Api),
            at: Timestamp::UNIX_EPOCH,
            seen: None,
        }
    }

    #[test]
    fn a_customer_is_taken_once_at_a_time_and_nobody_is_left_behind() {
        let gathering = Gathering::new(1);
        for customer in [1, 2, 1, 3] {
            let (answer, _) = oneshot::channel();
            let edit = edit(customer);
            gathering.waiting().push(Waiting { edit, answer });
        }
        let mut taken = Vec::new();
        while gathering.is_awaited() {
            let some = gathering.take(2);
            let customers = some.iter().map(|waiting| waiting.edit.customer.0);
            taken.push(customers.collect::<Vec<_>>());
        }
        assert_eq!(taken, [vec![1, 2], vec![1, 3]]);
    }
}
