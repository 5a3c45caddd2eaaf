//! Owns suspending, discarding and reactivating customers, few or very many, with a reason that is kept.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::error::Error;
use super::profiles::id_of;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::customer::Status;
use crate::domain::ids::{BUCKETS, CustomerId};
use crate::store::{StatusChange, Store};

/// Customers in one transaction: others want to write, too.
const TOGETHER: usize = 500;
/// Buckets that are looked through at a time.
const STEP: u16 = 16;

/// What a change of status came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    pub changed: u64,
    /// Those who were so already, for the same reason.
    pub unchanged: u64,
}

/// How far a change of everybody has come: buckets looked through, of all, and customers changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub buckets: u16,
    pub of: u16,
    pub changed: u64,
}

/// Gives customers a status, by their unique ids. Those who may not be written to any more leave their
/// flows with that reason. One line of the audit says how many, and why.
///
/// # Errors
/// [`Error::UnknownCustomer`] for the first id that is not there; then nothing is changed.
pub async fn change(
    store: &Store,
    customers: &[String],
    status: Status,
    reason: Option<&str>,
    by: &By,
    at: Timestamp,
) -> Result<Changed, Error> {
    let mut found = store.customer_ids(customers).await?;
    for id in customers {
        if !found.contains_key(id) {
            // Perhaps somebody who was merged.
            found.insert(id.clone(), id_of(store, id).await?);
        }
    }
    let ids: BTreeSet<CustomerId> = found.into_values().collect();
    let ids: Vec<CustomerId> = ids.into_iter().collect();
    let change = StatusChange {
        status,
        reason: reason.filter(|_| status != Status::Active),
        by,
        at,
    };
    let (changed, done) = in_groups(store, &ids, &change).await;
    audit(store, &change, changed).await?;
    done?;
    Ok(Changed {
        changed,
        unchanged: ids.len() as u64 - changed,
    })
}

/// Reactivates everybody who is suspended, share by share.
pub async fn reactivate_all(
    store: &Store,
    by: &By,
    clock: &dyn Clock,
    watch: &(dyn Fn(Progress) + Sync),
) -> Result<Changed, Error> {
    let mut changed = 0;
    let mut outcome = Ok(());
    let change = || StatusChange {
        status: Status::Active,
        reason: None,
        by,
        at: clock.now(),
    };
    for first in (0..BUCKETS).step_by(usize::from(STEP)) {
        let until = (first + STEP).min(BUCKETS);
        let ids = store
            .customers_of_status(Status::Suspended, first..until)
            .await?;
        let (some, done) = in_groups(store, &ids, &change()).await;
        changed += some;
        outcome = done;
        watch(Progress {
            buckets: until,
            of: BUCKETS,
            changed,
        });
        if outcome.is_err() {
            break;
        }
    }
    audit(store, &change(), changed).await?;
    outcome?;
    Ok(Changed {
        changed,
        unchanged: 0,
    })
}

/// How many were changed, also when it ended in the middle.
async fn in_groups(
    store: &Store,
    ids: &[CustomerId],
    change: &StatusChange<'_>,
) -> (u64, crate::store::Result<()>) {
    let mut changed = 0;
    for some in ids.chunks(TOGETHER) {
        match store.change_status(some, change).await {
            Ok(done) => changed += done.len() as u64,
            Err(error) => return (changed, Err(error)),
        }
    }
    (changed, Ok(()))
}

async fn audit(store: &Store, change: &StatusChange<'_>, count: u64) -> Result<(), Error> {
    if count == 0 {
        return Ok(());
    }
    let what = match change.status {
        Status::Active => "customers reactivated",
        Status::Suspended => "customers suspended",
        Status::Discarded => "customers discarded",
    };
    let detail = json!({ "count": count, "reason": change.reason }).to_string();
    store
        .audit(change.by, what, Some(&detail), change.at)
        .await?;
    Ok(())
}
