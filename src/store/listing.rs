//! Owns rows that go in and come out as one JSON text: beside a row of its own for each, which the
//! driver hands over value by value, this costs a tenth.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use super::sql::Query;
use super::tx::On;

/// Runs a statement made with `listed!` and reads its rows as tuples of its columns.
pub(super) async fn listed<'c, T: DeserializeOwned>(
    query: Query<'_>,
    on: impl Into<On<'c>>,
) -> Result<Vec<T>> {
    let row = query.fetch_one(on).await?;
    serde_json::from_str(row.text(0)?).map_err(|error| Error::Corrupt(error.to_string()))
}

/// What `rows!` and `ids!` unroll.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}
