//! Owns reading a whole table in the order of its key, some rows at a time.

use super::super::catalog::Column;
use super::super::error::{Error, Result};
use super::super::sql::{Row, query, query_scalar};
use super::super::tables::Table;
use super::super::tx::{On, Pool};
use super::cell::{Cell, Sum};
use super::progress;

/// Rows that may hold a whole document are taken a few at a time.
const FEW: usize = 50;

/// Reads one table.
pub(super) struct Reader<'a> {
    table: &'a Table,
    columns: &'a [Column],
    most: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: &'a Table, columns: &'a [Column], most: usize) -> Self {
        let most = if table.is_heavy { most.min(FEW) } else { most };
        Self {
            table,
            columns,
            most: most.max(1),
        }
    }

    /// The rows after a key; none at the end.
    pub(super) async fn batch<'c>(
        &self,
        on: impl Into<On<'c>>,
        after: Option<&[Cell]>,
    ) -> Result<Vec<Vec<Cell>>> {
        let keys = after.unwrap_or_default();
        let mut statement = query(self.text(!keys.is_empty()));
        for key in keys {
            statement = statement.bind(key.arg());
        }
        let rows = statement.fetch_all(on).await?;
        rows.iter().map(|row| self.cells(row)).collect()
    }

    /// The key of a row.
    pub(super) fn key(&self, row: &[Cell]) -> Vec<Cell> {
        let cell = |name: &&str| {
            let place = self.columns.iter().position(|column| column.name == **name);
            place.map_or(Cell::Null, |place| row[place].clone())
        };
        self.table.key.iter().map(cell).collect()
    }

    /// The sum of all rows; `watch` hears how many were read each time.
    pub(super) async fn sum(&self, pool: &Pool, watch: &(dyn Fn(u64) + Sync)) -> Result<Sum> {
        let (mut sum, mut buffer) = (Sum::default(), Vec::new());
        let mut rows = self.batch(pool, None).await?;
        while let Some(last) = rows.last() {
            let last = self.key(last);
            for row in &rows {
                sum.add(row, &mut buffer);
            }
            watch(rows.len() as u64);
            rows = self.batch(pool, Some(&last)).await?;
        }
        Ok(sum)
    }

    fn text(&self, goes_on: bool) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
        let (table, keys) = (self.table.name, self.table.key.join(", "));
        let mut which = vec![kept(self.table).to_owned()];
        if goes_on {
            let places: Vec<String> = (1..=self.table.key.len())
                .map(|n| format!("${n}"))
                .collect();
            which.push(format!("({keys}) > ({})", places.join(", ")));
        }
        format!(
            "@everywhere(upkeep)SELECT {} FROM {table} WHERE {} ORDER BY {keys} LIMIT {}",
            names.join(", "),
            which.join(" AND "),
            self.most
        )
    }

    fn cells(&self, row: &Row) -> Result<Vec<Cell>> {
        let places = self.columns.iter().enumerate();
        places
            .map(|(place, column)| {
                Cell::read(row, place, column.kind).map_err(|error| {
                    let (table, column) = (self.table.name, &column.name);
                    Error::Corrupt(format!("`{column}` of a row of `{table}`: {error}"))
                })
            })
            .collect()
    }
}

/// How many rows of a table are copied.
pub(super) async fn count(pool: &Pool, table: &Table) -> Result<u64> {
    let count = format!(
        "@everywhere(upkeep)SELECT count(*) FROM {} WHERE {}",
        table.name,
        kept(table)
    );
    let count: i64 = query_scalar(count).fetch_one(pool).await?;
    Ok(count.unsigned_abs())
}

/// What a copy writes down about itself is no part of the store.
fn kept(table: &Table) -> &'static str {
    match table.name {
        "meta" => progress::NOT_OURS,
        _ => "true",
    }
}
