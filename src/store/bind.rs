//! Owns the values that travel into statements: a bind is typed, and no value is ever part of the text.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr, Sqlite};

/// One bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Text(String),
    Int(i64),
    Real(f64),
}

/// What stands in one column of one row; none is NULL.
pub(super) type Cell = Option<Bind>;

pub(super) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneValue)
    }
}

/// Reads a scalar of a listed row.
struct OneValue;

impl Visitor<'_> for OneValue {
    type Value = Bind;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bind, E> {
        Ok(Bind::Int(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Bind, E> {
        i64::try_from(number).map(Bind::Int).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Bind, E> {
        Ok(Bind::Real(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bind, E> {
        Ok(Bind::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Bind, E> {
        Ok(Bind::Text(text))
    }
}

/// The statement with its values bound in order.
pub(super) fn statement<'q>(sql: SqlStr, cells: impl IntoIterator<Item = Cell>) -> Statement<'q> {
    cells.into_iter().fold(sqlx::query(sql), bind)
}

/// A statement composed from a compiled condition: its own values first, then the condition's.
pub(super) fn composed<'q>(
    sql: String,
    own: impl IntoIterator<Item = Bind>,
    condition: Vec<Bind>,
) -> Statement<'q> {
    let cells = own.into_iter().chain(condition).map(Some);
    statement(AssertSqlSafe(sql).into_sql_str(), cells)
}

fn bind(query: Statement<'_>, cell: Cell) -> Statement<'_> {
    match cell {
        Some(Bind::Text(text)) => query.bind(text),
        Some(Bind::Int(number)) => query.bind(number),
        Some(Bind::Real(number)) => query.bind(number),
        None => query.bind(None::<i64>),
    }
}
