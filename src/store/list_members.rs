//! Owns who is put on lists and taken off: many customers at once.

use jiff::Timestamp;

use super::dialect::ids;
use super::dirty;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::sql::query_scalar;
use super::tx::Tx;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::touched::Touched;

const PUT_ON: &str = concat!(
    "INSERT INTO list_members (bucket, list, customer_id, added_at) SELECT k.bucket, $2, k.id, $3 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, list, customer_id) DO NOTHING RETURNING customer_id"
);
const TAKE_OFF: &str = concat!(
    "DELETE FROM list_members WHERE (bucket, list, customer_id) IN \
     (SELECT k.bucket, CAST($2 AS INTEGER), k.id FROM ",
    ids!(),
    " AS k) RETURNING customer_id"
);

pub(super) const STATEMENTS: &[&str] = &[PUT_ON, TAKE_OFF];

/// A change of who is on a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    pub(super) list: NameNo,
    pub(super) is_put_on: bool,
}

/// Puts customers who are kept on a list, or takes them off; who was not so before.
pub(super) async fn put(
    tx: &mut Tx,
    customers: &[CustomerId],
    listing: Listing,
    at: Timestamp,
) -> Result<Vec<CustomerId>> {
    let changed = put_unmarked(tx, customers, listing, at).await?;
    dirty::mark(tx, Touched::LISTS, &changed).await?;
    Ok(changed)
}

/// The same, and leaves it to whoever asks to mark them.
pub(super) async fn put_unmarked(
    tx: &mut Tx,
    customers: &[CustomerId],
    listing: Listing,
    at: Timestamp,
) -> Result<Vec<CustomerId>> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let statement = if listing.is_put_on { PUT_ON } else { TAKE_OFF };
    let asked = query_scalar(statement)
        .bind(json(&ids))
        .bind(listing.list.0);
    let asked = if listing.is_put_on {
        asked.bind(micros(at))
    } else {
        asked
    };
    let changed: Vec<i64> = asked.fetch_all(&mut *tx).await?;
    Ok(changed.into_iter().map(CustomerId).collect())
}
