//! Owns the writing of many rows of dynamic columns in few statements.

use super::arg::Arg;
use super::bind::Cell;
use super::dialect::{Dialect, MOST_BINDS};
use super::error::Result;
use super::listing::json;
use super::sql::{Query, query};
use super::tx::Tx;

/// More rows in a statement gain nothing (measured: 50, 500 and 5,000 differ by less than the noise).
const MOST_ROWS: usize = 500;

/// What is set, and the type of its cells.
pub(super) type Typed = (String, &'static str);

/// Inserts the rows. Names come from the caller's constants and the checked data model.
pub(super) async fn insert(
    tx: &mut Tx,
    table: &str,
    columns: &[(&str, &str)],
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let cells: Vec<String> = (1..=names.len()).map(|n| format!("j.column{n}")).collect();
    let head = format!(
        "INSERT INTO {table} ({}) SELECT {} FROM ",
        names.join(", "),
        cells.join(", ")
    );
    let kinds: Vec<&str> = columns.iter().map(|(_, kind)| *kind).collect();
    write(tx, &head, " AS j", &kinds, rows).await
}

/// Sets columns of customers; the first two cells of each row are the bucket and the number.
/// A setting names its cell as `j.columnN`, counted from 1: the first setting's is the third.
pub(super) async fn update_customers(
    tx: &mut Tx,
    settings: &[Typed],
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let set: Vec<&str> = settings.iter().map(|(set, _)| set.as_str()).collect();
    let head = format!("UPDATE customers SET {} FROM ", set.join(", "));
    let tail = " AS j WHERE customers.bucket = j.column1 AND customers.customer_id = j.column2";
    let keys = ["BIGINT", "BIGINT"].into_iter();
    let kinds: Vec<&str> = keys.chain(settings.iter().map(|(_, kind)| *kind)).collect();
    write(tx, &head, tail, &kinds, rows).await
}

async fn write(
    tx: &mut Tx,
    head: &str,
    tail: &str,
    kinds: &[&str],
    rows: Vec<Vec<Cell>>,
) -> Result<()> {
    let most = (MOST_BINDS / kinds.len().max(1)).clamp(1, MOST_ROWS);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Vec<Cell>> = rows.by_ref().take(most).collect();
        let whole = chunk.len() == most;
        let statement = match tx.dialect() {
            Dialect::Sqlite => with_values(head, tail, kinds.len(), chunk).persistent(whole),
            Dialect::Postgres | Dialect::Citus => with_json(head, tail, kinds, &chunk),
        };
        statement.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Nameless placeholders: SQLite finds the n-th named one by walking all before it.
fn with_values(head: &str, tail: &str, width: usize, rows: Vec<Vec<Cell>>) -> Query<'static> {
    let row = format!("({})", vec!["?"; width].join(","));
    let values = vec![row; rows.len()].join(",");
    let statement = query(format!("{head}(VALUES {values}){tail}"));
    let cells = rows.into_iter().flatten();
    cells.fold(statement, |statement, cell| {
        statement.bind(cell.map_or(Arg::Int(None), Arg::from))
    })
}

fn with_json(head: &str, tail: &str, kinds: &[&str], rows: &[Vec<Cell>]) -> Query<'static> {
    let column = |(place, kind): (usize, &&str)| format!("column{} {kind} {place}", place + 1);
    let columns: Vec<String> = kinds.iter().enumerate().map(column).collect();
    query(format!("{head}@rows({}){tail}", columns.join(", "))).bind(json(rows))
}
