//! Owns finding customers by any one-valued field: many values by one statement, and by an index.

use std::collections::HashMap;

use super::bind::Bind;
use super::customer_columns::{Class, Column};
use super::db::Store;
use super::error::{Error, Result};
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use crate::domain::field::{Cardinality, Field};
use crate::domain::ids::CustomerId;
use crate::domain::value::{Value, fold};

/// Values that are looked up by one statement.
const TOGETHER: usize = 2_000;

/// A value in the form in which it is compared: texts without case and accents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchKey(String);

/// Who has a value: the number and the unique id of each.
pub type Matches = HashMap<MatchKey, Vec<(CustomerId, String)>>;

impl MatchKey {
    /// None: it is no value to find anybody by.
    pub fn of(field: &Field, value: &Value) -> Result<Option<Self>> {
        let cell = Class::of(field.kind).cell(&field.identifier, value)?;
        Ok(cell.as_ref().map(Self::of_cell))
    }

    fn of_cell(cell: &Bind) -> Self {
        Self(match cell {
            Bind::Text(text) => fold(text),
            Bind::Int(number) => number.to_string(),
            Bind::Real(number) => format!("{number:?}"),
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Store {
    /// The customers who have these values of a field. The first time an index is made for it, and others
    /// cannot write meanwhile; from then on nobody is looked for among all.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a field that holds several values.
    pub async fn customers_matching(&self, field: &Field, keys: &[MatchKey]) -> Result<Matches> {
        let (column, class) = compared(field)?;
        if keys.is_empty() {
            return Ok(Matches::new());
        }
        self.index(&column).await?;
        let (kind, cell) = match class {
            Class::Text => ("TEXT", format!("c.{column}")),
            Class::Number => ("DOUBLE PRECISION", format!("@exact(c.{column})")),
            _ => ("BIGINT", format!("c.{column}")),
        };
        let statement = format!(
            "@everywhere(people)SELECT @list(@array({cell}, c.customer_id, c.external_id)) FROM \
             @rows(key {kind} 0) AS j CROSS JOIN customers AS c \
             WHERE +c.bucket BETWEEN 0 AND 1023 AND c.{column} = j.key"
        );
        let mut matches = Matches::new();
        for some in keys.chunks(TOGETHER) {
            let keys: Vec<[&str; 1]> = some.iter().map(|key| [key.as_str()]).collect();
            let asked = query(statement.clone()).bind(json(&keys));
            let found: Vec<(Bind, i64, String)> = listed(asked, self.read()).await?;
            for (cell, number, external_id) in found {
                let cell = class.listed(Some(cell)).unwrap_or(Bind::Int(0));
                let key = MatchKey::of_cell(&cell);
                let found = matches.entry(key).or_default();
                found.push((CustomerId(number), external_id));
            }
        }
        Ok(matches)
    }

    async fn index(&self, column: &str) -> Result<()> {
        let name = format!(
            "match_{:016x}",
            xxhash_rust::xxh3::xxh3_64(column.as_bytes())
        );
        let list = query_scalar(self.dialect().indexes_that_begin()).bind(name.as_str());
        let there: Option<String> = list.fetch_optional(self.read()).await?;
        if there.is_some() {
            return Ok(());
        }
        let make = format!(
            "CREATE INDEX IF NOT EXISTS {name} ON customers ({column}) WHERE {column} IS NOT NULL"
        );
        let mut tx = self.write().await?;
        query(make).persistent(false).execute(&mut tx).await?;
        tx.commit().await
    }
}

/// The column by which a field is compared, and its class.
fn compared(field: &Field) -> Result<(String, Class)> {
    if field.cardinality == Cardinality::Many {
        return Err(Error::Unusable(format!(
            "the field `{}` holds several values",
            field.identifier
        )));
    }
    let column = Column::of(field)?;
    let class = column.class;
    Ok((column.folded.unwrap_or(column.name), class))
}
