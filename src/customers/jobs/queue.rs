//! Owns queueing orders: what cannot be carried out is refused before anything is written.

use jiff::Timestamp;
use serde_json::json;

use super::chosen::Chosen;
use super::picking::Picked;
use super::prepared::{self, Prepared};
use crate::customers::error::Error;
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::job::JobNo;
use crate::domain::job_order::{Action, Order, Selection};
use crate::store::{Frame, NewJob, Published, Store};

/// Refuses a selection that names what there is not.
pub async fn check_selection(
    store: &Store,
    published: &Published,
    selection: &Selection,
) -> Result<(), Error> {
    let chosen = Chosen::of(store, &published.revision, selection);
    chosen.await.map(|_| ())
}

/// Refuses an action that names what there is not, or sets what no field takes.
pub async fn check_action(
    store: &Store,
    published: &Published,
    action: &Action,
) -> Result<(), Error> {
    let prepared = Prepared::of(store, published, action);
    prepared.await.map(|_| ())
}

/// How many customers a job would look at.
pub async fn count(
    store: &Store,
    published: &Published,
    selection: &Selection,
    picked: &Picked,
    now: Timestamp,
) -> Result<u64, Error> {
    let numbers = store.numbers().await?;
    let frame = Frame {
        revision: &published.revision,
        numbers: &numbers,
        now,
    };
    match Chosen::of(store, &published.revision, selection).await? {
        Chosen::Picked => Ok(picked.customers.len() as u64),
        chosen => chosen.count(store, &frame).await,
    }
}

/// Queues an order; `picked` are the customers of [`Selection::Picked`].
pub async fn queue(
    store: &Store,
    published: &Published,
    order: &Order,
    picked: &Picked,
    (by, at): (&By, Timestamp),
) -> Result<JobNo, Error> {
    check_selection(store, published, &order.selection).await?;
    check_action(store, published, &order.action).await?;
    let together = prepared::page(&order.action) as usize;
    let parts = picked.customers.chunks(together);
    let parts: Vec<Vec<CustomerId>> = parts.map(<[CustomerId]>::to_vec).collect();
    let asked = picked.customers.len() + picked.failures.len();
    let is_picked = order.selection == Selection::Picked;
    let job = NewJob {
        kind: order.action.kind(),
        body: &json!(order),
        parts: &parts,
        total: is_picked.then_some(asked as u64),
        failures: &picked.failures,
        by,
        at,
    };
    Ok(store.queue_job(&job).await?)
}
