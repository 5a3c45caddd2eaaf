//! Owns writing copied rows: many in a statement on SQLite, as one stream on PostgreSQL.

use sqlx::postgres::PgConnection;

use super::super::catalog::{Column, Kind};
use super::super::dialect::MOST_BINDS;
use super::super::error::Result;
use super::super::sql::{Query, query};
use super::super::tx::Tx;
use super::cell::{Cell, refuse_unfit};

/// More rows in a statement gain nothing.
const MOST_ROWS: usize = 500;
/// The head of a binary stream: its signature, no flags, no extension (PostgreSQL's manual, `COPY`,
/// "Binary Format").
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: i16 = -1;
const NULL: i32 = -1;

/// Writes rows into a table whose columns these are; a value that does not fit is named.
pub(super) async fn write(
    tx: &mut Tx,
    table: &str,
    columns: &[Column],
    rows: &[Vec<Cell>],
) -> Result<()> {
    for row in rows {
        refuse_unfit(table, columns, row, tx.dialect())?;
    }
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    let names = names.join(", ");
    match tx {
        Tx::Postgres(tx) => {
            let text = format!("COPY {table} ({names}) FROM STDIN (FORMAT binary)");
            stream(&mut tx.line, &text, &encoded(columns, rows)).await
        }
        Tx::Sqlite(_) => {
            let head = format!("INSERT INTO {table} ({names}) VALUES ");
            let most = (MOST_BINDS / columns.len().max(1)).clamp(1, MOST_ROWS);
            for chunk in rows.chunks(most) {
                let statement = with_values(&head, columns.len(), chunk);
                statement
                    .persistent(chunk.len() == most)
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(())
        }
    }
}

/// Nameless placeholders: SQLite finds the n-th named one by walking all before it.
fn with_values<'q>(head: &str, width: usize, rows: &'q [Vec<Cell>]) -> Query<'q> {
    let row = format!("({})", vec!["?"; width].join(","));
    let statement = query(format!("{head}{}", vec![row; rows.len()].join(",")));
    let cells = rows.iter().flatten();
    cells.fold(statement, |statement, cell| statement.bind(cell.arg()))
}

async fn stream(connection: &mut PgConnection, text: &str, rows: &[u8]) -> Result<()> {
    let mut stream = connection.copy_in_raw(text).await?;
    stream.send(rows).await?;
    stream.finish().await?;
    Ok(())
}

fn encoded(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    let width = i16::try_from(columns.len()).unwrap_or(i16::MAX);
    for row in rows {
        bytes.extend(width.to_be_bytes());
        for (column, cell) in columns.iter().zip(row) {
            encode(column.kind, cell, &mut bytes);
        }
    }
    bytes.extend(END.to_be_bytes());
    bytes
}

fn encode(kind: Kind, cell: &Cell, into: &mut Vec<u8>) {
    let mut put = |bytes: &[u8]| {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        into.extend(length.to_be_bytes());
        into.extend_from_slice(bytes);
    };
    match cell {
        Cell::Null => into.extend(NULL.to_be_bytes()),
        Cell::Whole(number) => {
            let bytes = number.to_be_bytes();
            let width = match kind {
                Kind::Whole(bits) => (bits / 8) as usize,
                Kind::Real | Kind::Text | Kind::Bytes => bytes.len(),
            };
            put(&bytes[bytes.len() - width..]);
        }
        Cell::Real(number) => put(&number.to_be_bytes()),
        Cell::Text(text) => put(text.as_bytes()),
        Cell::Bytes(bytes) => put(bytes),
    }
}
