//! Owns the status of customers, many at once: suspended and discarded with a reason, and active again.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use serde_json::json;

use super::changes;
use super::db::Store;
use super::dialect::{ids, listed};
use super::dirty;
use super::endings;
use super::error::Result;
use super::interactions;
use super::listing::{json as text_of, listed};
use super::sql::{query, query_scalar};
use super::tombstones;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::customer::Status;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::touched::Touched;

const CHANGE: &str = concat!(
    "UPDATE customers SET status = $2, status_reason = $3, \
     consent_rev = customers.consent_rev + 1, updated_at = $4 FROM ",
    ids!(),
    " AS k WHERE customers.bucket = k.bucket AND customers.customer_id = k.id \
     AND (customers.status <> $2 OR (CAST($3 AS TEXT) IS NOT NULL \
     AND customers.status_reason IS DISTINCT FROM $3)) RETURNING customer_id"
);
const WITH: &str = concat!(
    listed!("c.customer_id"),
    "customers AS c WHERE c.bucket BETWEEN $1 AND $2 AND c.status = $3 AND c.status <> 0"
);

pub(super) const STATEMENTS: &[&str] = &[CHANGE, WITH];

/// What customers are to be, and why.
#[derive(Debug, Clone, Copy)]
pub struct StatusChange<'a> {
    pub status: Status,
    /// None for those who are active.
    pub reason: Option<&'a str>,
    pub by: &'a By,
    pub at: Timestamp,
}

impl Store {
    /// Suspends, discards or reactivates one; false, and nothing written, when it is so already.
    pub async fn set_status(
        &self,
        customer: CustomerId,
        status: Status,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let change = StatusChange {
            status,
            reason: None,
            by,
            at,
        };
        let changed = self.change_status(&[customer], &change).await?;
        if changed.is_empty() {
            let mut tx = self.begin().await?;
            changes::require(&mut tx, customer).await?;
        }
        Ok(!changed.is_empty())
    }

    /// Gives customers a status, in one transaction; answers those who had another, or another reason.
    /// Their runs end unless they are active now; whoever is active again has not come back any more.
    pub async fn change_status(
        &self,
        customers: &[CustomerId],
        change: &StatusChange<'_>,
    ) -> Result<Vec<CustomerId>> {
        if customers.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.write_about(customers).await?;
        let changed = apply(&mut tx, customers, change).await?;
        if !changed.is_empty() {
            tx.commit().await?;
        }
        Ok(changed)
    }

    /// Those of these buckets who are suspended, or discarded, in the order of their numbers.
    pub async fn customers_of_status(
        &self,
        status: Status,
        buckets: Range<u16>,
    ) -> Result<Vec<CustomerId>> {
        let last = buckets.end.saturating_sub(1);
        let asked = query(WITH).bind(buckets.start).bind(last);
        let rows: Vec<(i64,)> = listed(asked.bind(status.number()), self.read()).await?;
        let mut customers: Vec<CustomerId> = rows.into_iter().map(|(id,)| CustomerId(id)).collect();
        customers.sort_unstable();
        Ok(customers)
    }
}

/// The same within a transaction that was begun about them.
pub(super) async fn apply(
    tx: &mut Tx,
    customers: &[CustomerId],
    change: &StatusChange<'_>,
) -> Result<Vec<CustomerId>> {
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let changed: Vec<i64> = query_scalar(CHANGE)
        .bind(text_of(&ids))
        .bind(change.status.number())
        .bind(change.reason)
        .bind(change.at.as_microsecond())
        .fetch_all(&mut *tx)
        .await?;
    let mut changed: Vec<CustomerId> = changed.into_iter().map(CustomerId).collect();
    changed.sort_unstable();
    if changed.is_empty() {
        return Ok(changed);
    }
    endings::end_for(tx, &changed, change.status, change.at).await?;
    let lines: Vec<Interaction> = changed.iter().map(|id| line(*id, change)).collect();
    interactions::insert(tx, &lines).await?;
    let touched = match change.status {
        Status::Active => Touched::by_line(Kind::StatusChanged),
        _ => Touched::by_line(Kind::StatusChanged) | Touched::IN_FLOW,
    };
    dirty::mark(tx, touched, &changed).await?;
    if change.status == Status::Active {
        lift(tx, &changed).await?;
    }
    Ok(changed)
}

/// A person has decided: what these customers came back from is kept no longer.
async fn lift(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    let from = tombstones::returned(tx, customers).await?;
    if from.is_empty() {
        return Ok(());
    }
    let all: BTreeSet<i64> = from.into_values().flatten().collect();
    let kept = tombstones::read(tx, &all).await?;
    tombstones::remove(tx, &kept).await?;
    tombstones::forget_returned(tx, customers).await
}

fn line(customer: CustomerId, change: &StatusChange<'_>) -> Interaction {
    let mut line = changes::line(customer, change.at, Kind::StatusChanged, change.by);
    if let Some(detail) = &mut line.detail {
        detail["is"] = json!(change.status);
        if let Some(reason) = change.reason {
            detail["reason"] = json!(reason);
        }
    }
    line
}
