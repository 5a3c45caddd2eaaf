//! Owns the writing of many rows of dynamic columns in few statements.

use std::sync::Arc;

use sqlx::AssertSqlSafe;

use super::bind::{Cell, statement};
use super::db::Tx;
use super::dialect::MOST_BINDS;
use super::error::Result;

/// More rows in a statement gain nothing (measured: 50, 500 and 5,000 differ by less than the noise).
const MOST_ROWS: usize = 500;

/// Inserts the rows. Names come from the caller's constants and the checked data model.
pub(super) async fn insert(
    tx: &mut Tx,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let head = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    write(tx, &head, "", columns.len(), rows).await
}

/// Sets columns of customers; the first two cells of each row are the bucket and the number.
/// A setting names its cell as `j.columnN`, counted from 1.
pub(super) async fn update_customers(
    tx: &mut Tx,
    settings: &[String],
    width: usize,
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let head = format!("UPDATE customers SET {} FROM (VALUES ", settings.join(", "));
    let tail = ") AS j WHERE customers.bucket = j.column1 AND customers.customer_id = j.column2";
    write(tx, &head, tail, width, rows).await
}

async fn write(
    tx: &mut Tx,
    head: &str,
    tail: &str,
    width: usize,
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let most = (MOST_BINDS / width.max(1)).clamp(1, MOST_ROWS);
    let full: Arc<str> = text(head, tail, width, most).into();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Vec<Cell>> = rows.by_ref().take(most).collect();
        let whole = chunk.len() == most;
        let sql = if whole {
            Arc::clone(&full)
        } else {
            text(head, tail, width, chunk.len()).into()
        };
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(sql));
        statement(sql, chunk.into_iter().flatten())
            .persistent(whole)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Nameless placeholders: SQLite finds the n-th named one by walking all before it.
fn text(head: &str, tail: &str, width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!("{head}{}{tail}", vec![row; rows].join(","))
}
