//! Owns the change marks: which customers have to be looked at again, by segments and exits.

use super::db::Tx;
use super::dialect::ids;
use super::error::Result;
use super::sequences;
use crate::domain::ids::CustomerId;

const MARK: &str = concat!(
    "INSERT INTO dirty (bucket, customer_id, mark) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id) DO UPDATE SET mark = excluded.mark"
);

pub(super) const STATEMENTS: &[&str] = &[MARK];

/// Marks the customers; a mark is newer than every mark before it.
pub(super) async fn mark(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let mark = sequences::take(tx, "change", 1).await?;
    sqlx::query(MARK)
        .bind(numbers(customers))
        .bind(mark)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The JSON array that `ids!()` unrolls.
fn numbers(customers: &[CustomerId]) -> String {
    serde_json::json!(customers.iter().map(|id| id.0).collect::<Vec<_>>()).to_string()
}
