//! Owns rows that go in and come out as one JSON text: beside a row of its own for each, which the
//! driver hands over value by value, this costs a tenth.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Executor, Row as _, Sqlite};

use super::error::{Error, Result};

/// Runs a statement made with `listed!` and reads its rows as tuples of its columns.
pub(super) async fn listed<'e, T: DeserializeOwned>(
    query: sqlx::query::Query<'_, Sqlite, SqliteArguments>,
    executor: impl Executor<'e, Database = Sqlite>,
) -> Result<Vec<T>> {
    let row = query.fetch_one(executor).await?;
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text).map_err(|error| Error::Corrupt(error.to_string()))
}

/// What `rows!` and `ids!` unroll.
pub(super) fn json<T: Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}
