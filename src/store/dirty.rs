//! Owns the change marks: which customers have to be looked at again, by segments and exits.

use std::collections::BTreeSet;
use std::ops::Range;

use super::db::Tx;
use super::dialect::{ids, rows};
use super::error::Result;
use super::sequences;
use super::sql::query;
use crate::domain::ids::{Bucket, CustomerId};

const MARK: &str = concat!(
    "INSERT INTO dirty (bucket, customer_id, mark) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id) DO UPDATE SET mark = excluded.mark"
);

/// Those who are new have no mark yet.
const MARK_NEW: &str = concat!(
    "@insert dirty (bucket, customer_id, mark) SELECT c.bucket, c.customer_id, $3 FROM ",
    rows!(bucket BIGINT 0),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket \
     AND c.customer_id >= (k.bucket << 48) + $2 AND c.customer_id < (k.bucket << 48) + $4"
);

pub(super) const STATEMENTS: &[&str] = &[MARK, MARK_NEW];

/// Marks the customers; a mark is newer than every mark before it.
pub(super) async fn mark(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let mark = newest(tx).await?;
    query(MARK)
        .bind(numbers(customers))
        .bind(mark)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// A mark that is newer than every mark before it.
pub(super) async fn newest(tx: &mut Tx) -> Result<i64> {
    sequences::take(tx, "change", 1).await
}

/// Marks the new customers of these buckets with these sequence numbers.
pub(super) async fn mark_new(
    tx: &mut Tx,
    buckets: &BTreeSet<Bucket>,
    numbers: Range<i64>,
    mark: i64,
) -> Result<()> {
    let buckets: Vec<[u16; 1]> = buckets.iter().map(|bucket| [bucket.0]).collect();
    query(MARK_NEW)
        .bind(serde_json::json!(buckets).to_string())
        .bind(numbers.start)
        .bind(mark)
        .bind(numbers.end)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The JSON array that `ids!()` unrolls.
fn numbers(customers: &[CustomerId]) -> String {
    serde_json::json!(customers.iter().map(|id| id.0).collect::<Vec<_>>()).to_string()
}
