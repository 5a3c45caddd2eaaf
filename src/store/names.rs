//! Owns the stable small numbers of everything that has a name.

use super::db::Store;
use super::dialect::rows;
use super::error::{Error, Result};
use super::sql::{Row, query};
use super::tx::{On, Tx};
use crate::domain::ids::NameNo;
use crate::domain::revision::{NameKind, Numbers};

const ALL: &str = "SELECT number, kind, name FROM names ORDER BY number";
const ADD: &str = concat!(
    "INSERT INTO names (kind, name) SELECT j.kind, j.name FROM ",
    rows!(kind BIGINT 0, name TEXT 1, place BIGINT 2),
    // A server gives a number away with every try: one that is there is not tried.
    " AS j LEFT JOIN names AS n ON n.kind = j.kind AND n.name = j.name WHERE n.number IS NULL \
     ORDER BY j.place ON CONFLICT (kind, name) DO NOTHING"
);

pub(super) const STATEMENTS: &[&str] = &[ALL, ADD];

impl Store {
    /// The numbers of all names ever published.
    pub async fn numbers(&self) -> Result<Numbers> {
        all(self.read()).await
    }
}

/// All numbers, as they are seen there.
pub(super) async fn all<'c>(on: impl Into<On<'c>>) -> Result<Numbers> {
    collect(&query(ALL).fetch_all(on).await?)
}

/// Numbers those of the names that have none yet, and returns all.
pub(super) async fn ensure(tx: &mut Tx, names: &[(NameKind, String)]) -> Result<Numbers> {
    let rows: Vec<(i64, &str, usize)> = names
        .iter()
        .enumerate()
        .map(|(place, (kind, name))| (kind.number(), name.as_str(), place))
        .collect();
    query(ADD)
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *tx)
        .await?;
    all(tx).await
}

fn collect(rows: &[Row]) -> Result<Numbers> {
    let mut numbers = Numbers::default();
    for row in rows {
        let (number, kind): (i32, i64) = (row.try_get(0)?, row.try_get(1)?);
        let kind = NameKind::from_number(kind)
            .ok_or_else(|| Error::Corrupt(format!("a name of the unknown kind {kind}")))?;
        numbers.insert(kind, row.text(2)?, NameNo(number));
    }
    Ok(numbers)
}
