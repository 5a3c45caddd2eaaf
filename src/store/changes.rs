//! Owns what every change of a customer's consent does beside its own record: the line in the
//! history, the number that the gate compares, and the mark for segments.

use serde_json::json;

use super::dirty;
use super::error::{Error, Result};
use super::interactions;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::touched::Touched;

const REVISE: &str = "UPDATE customers SET consent_rev = consent_rev + 1, updated_at = $3 \
     WHERE bucket = $1 AND customer_id = $2";
const EXISTS: &str = "SELECT count(*) FROM customers WHERE bucket = $1 AND customer_id = $2";

pub(super) const STATEMENTS: &[&str] = &[REVISE, EXISTS];

/// The line of a change, with who made it and by which way.
pub(super) fn line(customer: CustomerId, at: jiff::Timestamp, kind: Kind, by: &By) -> Interaction {
    let mut detail = json!({ "source": by.source.as_str() });
    if let Some(note) = &by.note {
        detail["note"] = json!(note);
    }
    Interaction {
        actor: Some(by.actor.as_str().to_owned()),
        detail: Some(detail),
        ..Interaction::new(customer, at, kind)
    }
}

/// The line with one more word about the change.
pub(super) fn saying(mut line: Interaction, key: &str, value: &str) -> Interaction {
    if let Some(detail) = &mut line.detail {
        detail[key] = json!(value);
    }
    line
}

/// Finishes a change whose record is written in the same transaction.
pub(super) async fn finish(tx: &mut Tx, line: Interaction) -> Result<()> {
    let (customer, what) = (line.customer, Touched::by_line(line.kind));
    let done = query(REVISE)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(line.at.as_microsecond())
        .execute(&mut *tx)
        .await?;
    if done == 0 {
        return Err(unknown(customer));
    }
    interactions::insert(tx, &[line]).await?;
    dirty::mark(tx, what, &[customer]).await
}

/// Refuses a customer that is not there.
pub(super) async fn require(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let there: i64 = query_scalar(EXISTS)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .fetch_one(&mut *tx)
        .await?;
    if there == 0 {
        return Err(unknown(customer));
    }
    Ok(())
}

pub(super) fn unknown(customer: CustomerId) -> Error {
    Error::NotFound(format!("the customer with the number {customer}"))
}
