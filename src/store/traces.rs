//! Owns letting go of files that may hold customers who are deleted: those that wait to be saved, and those
//! of exports.

use jiff::Timestamp;
use serde_json::json;

use super::among::numbers;
use super::audit;
use super::dialect::ids;
use super::error::Result;
use super::listing::json as text_of;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::ids::CustomerId;

/// Files that nobody works on for the moment: looked at and not saved, or saved in part. Those of the
/// watched folder are somebody else's.
const WAITING: &str = "SELECT i.import, i.name FROM imports AS i LEFT JOIN jobs AS j ON j.job = i.job \
     WHERE i.state < 3 AND i.dropped = 0 AND i.hash <> '' AND (i.state < 2 OR j.state > 1) \
     ORDER BY i.import";
const STOP: &str = "UPDATE jobs SET cancel = 1, \
     state = CASE WHEN state = 0 THEN 4 ELSE state END WHERE state < 2 AND job IN \
     (SELECT i.job FROM imports AS i WHERE i.import IN \
     (SELECT CAST(value AS BIGINT) FROM @each($1)))";
const FORGET: &str = "DELETE FROM import_parts WHERE import IN \
     (SELECT CAST(value AS BIGINT) FROM @each($1))";
/// What is stored of an import can still be taken back.
const DISCARD: &str = "UPDATE imports SET hash = '', \
     state = CASE WHEN state < 2 THEN 4 ELSE state END WHERE import IN \
     (SELECT CAST(value AS BIGINT) FROM @each($1))";
const SINCE: &str = concat!(
    "SELECT min(c.created_at) FROM ",
    ids!(),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id = k.id"
);
/// A file that is being written may hold anybody; a finished one those who were there by then.
const UNLIST: &str = "DELETE FROM reports WHERE customers < 0 OR created_at >= $1";

pub(super) const STATEMENTS: &[&str] = &[WAITING, STOP, FORGET, DISCARD, SINCE, UNLIST];

/// Since when the first of these customers has been there.
pub(super) async fn since(tx: &mut Tx, customers: &[CustomerId]) -> Result<i64> {
    let since: Option<i64> = query_scalar(SINCE)
        .bind(numbers(customers))
        .fetch_one(tx)
        .await?;
    Ok(since.unwrap_or(i64::MIN))
}

/// Lets go of every file that may hold customers who have been there since then. The bytes of a file
/// that is let go of here are removed afterwards, some at a time.
pub(super) async fn let_go(tx: &mut Tx, since: i64, at: Timestamp) -> Result<()> {
    let waiting = query(WAITING).fetch_all(&mut *tx).await?;
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let waiting: Vec<(i64, String)> = waiting.iter().map(read).collect::<Result<_>>()?;
    if !waiting.is_empty() {
        let numbers: Vec<i64> = waiting.iter().map(|(number, _)| *number).collect();
        let numbers = text_of(&numbers);
        for statement in [STOP, FORGET, DISCARD] {
            query(statement).bind(&numbers).execute(&mut *tx).await?;
        }
    }
    let by = By::new(Actor::drumbeat(), Source::Engine);
    for (import, file) in waiting {
        let why = "a customer was deleted who may be in its file";
        let detail = json!({ "import": import, "file": file, "reason": why });
        let detail = detail.to_string();
        audit::add(tx, &by, "import discarded", Some(&detail), at).await?;
    }
    query(UNLIST).bind(since).execute(tx).await?;
    Ok(())
}
