//! Owns what a database says about itself: its tables, and the columns of each with their types.

use std::collections::BTreeSet;

use super::dialect::Dialect;
use super::error::{Error, Result};
use super::sql::{query, query_scalar};
use super::tx::Pool;

const SQLITE_TABLES: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
     AND substr(name, 1, 7) <> 'sqlite_'";
const POSTGRES_TABLES: &str = "SELECT CAST(relname AS TEXT) FROM pg_class \
     WHERE relkind IN ('r', 'p') AND NOT relispartition \
     AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";

const SQLITE_COLUMNS: &str = "SELECT name, type, pk > 0 FROM pragma_table_info($1) ORDER BY cid";
const POSTGRES_COLUMNS: &str = "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, NULL), \
     coalesce(a.attnum = ANY(i.indkey), false) FROM pg_attribute AS a \
     LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary \
     WHERE a.attrelid = CAST($1 AS regclass) AND a.attnum > 0 AND NOT a.attisdropped \
     ORDER BY a.attnum";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers of so many bits.
    Whole(u32),
    Real,
    Text,
    Bytes,
}

/// A column as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_key: bool,
}

/// The names of all tables; an index of texts, and what it keeps in tables, is none.
pub(super) async fn tables(pool: &Pool) -> Result<BTreeSet<String>> {
    let statement = match pool.dialect() {
        Dialect::Sqlite => SQLITE_TABLES,
        Dialect::Postgres | Dialect::Citus => POSTGRES_TABLES,
    };
    let names: Vec<String> = query_scalar(statement).fetch_all(pool).await?;
    Ok(names.into_iter().collect())
}

/// The columns of a table, in its order.
pub(super) async fn columns(pool: &Pool, table: &str) -> Result<Vec<Column>> {
    let dialect = pool.dialect();
    let statement = match dialect {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres | Dialect::Citus => POSTGRES_COLUMNS,
    };
    let mut columns = Vec::new();
    for row in query(statement).bind(table).fetch_all(pool).await? {
        let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(kind) = Kind::of(&kind, dialect) else {
            return Err(Error::Corrupt(format!(
                "the column `{name}` of `{table}` has the type `{kind}`, which none of ours has"
            )));
        };
        let is_key = row.try_get(2)?;
        columns.push(Column { name, kind, is_key });
    }
    Ok(columns)
}

impl Kind {
    /// Every whole number of SQLite has 64 bits, whatever its column is called.
    fn of(name: &str, dialect: Dialect) -> Option<Self> {
        let bits = |bits| match dialect {
            Dialect::Sqlite => Self::Whole(64),
            Dialect::Postgres | Dialect::Citus => Self::Whole(bits),
        };
        Some(match name.to_ascii_lowercase().as_str() {
            "smallint" => bits(16),
            "integer" => bits(32),
            "bigint" => bits(64),
            "double precision" => Self::Real,
            "text" => Self::Text,
            "blob" | "bytea" => Self::Bytes,
            _ => return None,
        })
    }
}
