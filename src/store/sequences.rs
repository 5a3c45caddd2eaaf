//! Owns the counters from which numbers are taken in blocks.

use super::db::Tx;
use super::error::Result;

const TAKE: &str = "INSERT INTO sequences (name, next) VALUES ($1, $2 + 1) \
     ON CONFLICT (name) DO UPDATE SET next = sequences.next + $2 RETURNING next - $2";

const NEXT: &str = "SELECT coalesce(max(next), 1) FROM sequences WHERE name = $1";

pub(super) const STATEMENTS: &[&str] = &[TAKE, NEXT];

/// Takes `count` numbers in a row and returns the first; numbers begin at 1 and never come again.
/// None at all are taken without a write.
pub(super) async fn take(tx: &mut Tx, name: &str, count: usize) -> Result<i64> {
    if count == 0 {
        return Ok(0);
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar(TAKE)
        .bind(name)
        .bind(count)
        .fetch_one(&mut **tx)
        .await?)
}

/// The first number that `take` would give: for a statement that tells afterwards how many it used.
pub(super) async fn next(tx: &mut Tx, name: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(NEXT)
        .bind(name)
        .fetch_one(&mut **tx)
        .await?)
}
