//! Owns which columns are copied, and sees that the other database has them all.

use super::super::catalog::{self, Column};
use super::super::customer_columns;
use super::super::db::Store;
use super::super::dialect::Dialect;
use super::super::error::{Error, Result};
use super::super::sql::{query, query_scalar};
use super::super::tables::{TABLES, Table};
use super::super::tx::Tx;
use super::reading;

const CUSTOMERS: &str = "customers";

/// The columns whose numbers a server gives.
const NUMBERED: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) \
     FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
     WHERE a.attidentity <> '' AND NOT a.attisdropped \
     AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";

/// The columns of one table on both sides, in the same order.
pub(super) struct Shape {
    pub(super) here: Vec<Column>,
    pub(super) there: Vec<Column>,
}

impl Shape {
    pub(super) async fn of(table: &Table, from: &Store, to: &Store) -> Result<Self> {
        let here = catalog::columns(from.read(), table.name).await?;
        let known = catalog::columns(to.read(), table.name).await?;
        let there = here.iter().map(|column| {
            let found = known.iter().find(|known| known.name == column.name);
            found.cloned().ok_or_else(|| {
                let (table, column) = (table.name, &column.name);
                Error::Unusable(format!(
                    "`{table}` has the column `{column}`, which the target cannot have"
                ))
            })
        });
        let there = there.collect::<Result<_>>()?;
        Ok(Self { here, there })
    }
}

/// Adds the columns of fields that the source has and the target lacks.
pub(super) async fn add_fields(from: &Store, to: &Store) -> Result<()> {
    let here = catalog::columns(from.read(), CUSTOMERS).await?;
    let there = catalog::columns(to.read(), CUSTOMERS).await?;
    let mut tx = to.write().await?;
    for column in &here {
        if !there.iter().any(|known| known.name == column.name) {
            customer_columns::add_named(&mut tx, &column.name).await?;
        }
    }
    tx.commit().await
}

/// The tables that hold rows, with how many.
pub(super) async fn filled(store: &Store) -> Result<Vec<(&'static str, u64)>> {
    let mut filled = Vec::new();
    for table in TABLES {
        let rows = reading::count(store.read(), table).await?;
        if rows > 0 {
            filled.push((table.name, rows));
        }
    }
    Ok(filled)
}

/// Lets a server give new rows numbers after the copied ones; a file does so by itself.
pub(super) async fn number_on(tx: &mut Tx) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for row in query(NUMBERED).fetch_all(&mut *tx).await? {
        let (table, column) = (row.text(0)?, row.text(1)?);
        let set = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), \
             greatest(coalesce(max({column}), 1), 1), count(*) > 0) FROM {table}"
        );
        let _next: i64 = query_scalar(set).fetch_one(&mut *tx).await?;
    }
    Ok(())
}
