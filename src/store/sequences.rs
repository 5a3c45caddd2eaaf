//! Owns the counters from which numbers are taken in blocks.

use super::error::Result;
use super::sql::query_scalar;
use super::tx::{PgTx, Pool, Tx};

const TAKE: &str = "INSERT INTO sequences (name, next) VALUES ($1, $2 + 1) \
     ON CONFLICT (name) DO UPDATE SET next = sequences.next + $2 RETURNING next - $2";

const NEXT: &str = "SELECT coalesce(max(next), 1) FROM sequences WHERE name = $1";

pub(super) const STATEMENTS: &[&str] = &[TAKE, NEXT];

/// So many numbers a process takes at once on a server, where a counter must not hold up others until
/// a transaction ends, and one that moved with every change would leave as many dead rows.
const BLOCK: i64 = 65_536;

/// Takes `count` numbers in a row and returns the first; numbers begin at 1 and never come again.
/// None at all are taken without a write.
pub(super) async fn take(tx: &mut Tx, name: &str, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match tx {
        _ if count == 0 => Ok(0),
        Tx::Sqlite(_) => {
            query_scalar(TAKE)
                .bind(name)
                .bind(count)
                .fetch_one(&mut *tx)
                .await
        }
        Tx::Postgres(tx) => take_from_block(tx, name, count).await,
    }
}

/// A number that no taken one reaches.
pub(super) async fn next(tx: &mut Tx, name: &str) -> Result<i64> {
    query_scalar(NEXT).bind(name).fetch_one(&mut *tx).await
}

async fn take_from_block(tx: &PgTx, name: &str, count: i64) -> Result<i64> {
    if let Some(first) = tx.blocks.take(name, count) {
        return Ok(first);
    }
    let block = count.max(BLOCK);
    let beside = Pool::Postgres(tx.beside.clone());
    let first: i64 = query_scalar(TAKE)
        .bind(name)
        .bind(block)
        .fetch_one(&beside)
        .await?;
    tx.blocks.put(name, first + count..first + block);
    Ok(first)
}
