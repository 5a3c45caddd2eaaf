//! Owns the inserting of new customers: many in a statement, and what all of them share bound once.

use std::sync::Arc;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Error as SqlError, SqlSafeStr as _, SqlStr};

use super::customer_draft::{Folding, Given};
use super::customer_sheet::Sheet;
use super::db::Tx;
use super::dialect::{MOST_BINDS, insert_or_end};
use super::error::Result;
use crate::domain::ids::CustomerId;
use crate::domain::value::fold;

/// More rows in a statement gain nothing (measured: 50, 500 and 5,000 differ by less than the noise).
const MOST_ROWS: usize = 500;

/// How the rows of one sheet become new customers.
pub(super) struct Insertion<'a> {
    sheet: &'a Sheet,
    /// The columns that have the same value in every row.
    shared: Vec<(&'static str, i64)>,
    most: usize,
    /// The statement for as many rows as fit, if there are so many.
    full: Option<SqlStr>,
}

/// A statement with its values.
pub(super) struct Prepared {
    sql: SqlStr,
    is_full: bool,
    values: SqliteArguments,
}

impl<'a> Insertion<'a> {
    pub(super) fn new(sheet: &'a Sheet, shared: Vec<(&'static str, i64)>) -> Self {
        let widest = 2 + sheet.columns().len() * 2;
        let most = (MOST_BINDS - shared.len()) / widest;
        let mut insertion = Self {
            sheet,
            shared,
            most: most.clamp(1, MOST_ROWS),
            full: None,
        };
        if sheet.len() >= insertion.most {
            insertion.full = Some(insertion.text(insertion.most));
        }
        insertion
    }

    /// How many rows fit into a statement.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The statement that inserts these rows under these numbers, with its values.
    pub(super) fn prepare(&self, rows: &[(usize, CustomerId)]) -> Result<Prepared> {
        let full = self.full.as_ref().filter(|_| rows.len() == self.most);
        let is_full = full.is_some();
        let sql = full.map_or_else(|| self.text(rows.len()), SqlStr::clone);
        let mut values = SqliteArguments::default();
        let folds = self.folds().iter().filter(|folds| **folds).count();
        let width = 2 + self.sheet.columns().len() + folds;
        values.reserve(rows.len() * width + self.shared.len(), 0);
        self.bind(rows, &mut values).map_err(SqlError::Encode)?;
        Ok(Prepared {
            sql,
            is_full,
            values,
        })
    }

    /// For each column, whether its folded texts are bound as well.
    fn folds(&self) -> Vec<bool> {
        let foldings = self.sheet.foldings();
        foldings
            .map(|(_, folding)| folding == Some(Folding::Full))
            .collect()
    }

    fn bind(
        &self,
        rows: &[(usize, CustomerId)],
        values: &mut SqliteArguments,
    ) -> std::result::Result<(), sqlx::error::BoxDynError> {
        let folds = self.folds();
        for (row, id) in rows {
            values.add(id.0)?;
            values.add(Arc::<str>::from(self.sheet.external_id(*row)))?;
            for (given, folds) in self.sheet.given(*row).iter().zip(&folds) {
                match given {
                    Given::Nothing | Given::Empty => values.add(None::<i64>)?,
                    Given::Text(span) => values.add(Arc::<str>::from(self.sheet.text(*span)))?,
                    Given::Int(number) => values.add(*number)?,
                    Given::Real(number) => values.add(*number)?,
                }
                match given {
                    Given::Text(span) if *folds => values.add(fold(self.sheet.text(*span)))?,
                    _ if *folds => values.add(None::<i64>)?,
                    _ => {}
                }
            }
        }
        for (_, value) in &self.shared {
            values.add(*value)?;
        }
        Ok(())
    }

    /// Nameless placeholders for the rows: SQLite finds the n-th named one by walking all before it.
    fn text(&self, rows: usize) -> SqlStr {
        let mut names = vec!["bucket", "customer_id", "external_id"];
        let mut values = ["j.column1 >> 48", "j.column1", "j.column2"]
            .map(str::to_owned)
            .to_vec();
        let mut width = 2;
        for (column, folding) in self.sheet.foldings() {
            width += 1;
            names.extend(column.names());
            values.push(format!("j.column{width}"));
            match folding {
                None => {}
                Some(Folding::Same) => values.push(format!("j.column{width}")),
                Some(Folding::Lower) => values.push(format!("lower(j.column{width})")),
                Some(Folding::Full) => {
                    width += 1;
                    values.push(format!("j.column{width}"));
                }
            }
        }
        for ((name, _), place) in self.shared.iter().zip(width * rows + 1..) {
            names.push(name);
            values.push(format!("${place}"));
        }
        let row = format!("({})", vec!["?"; width].join(","));
        let sql = format!(
            "WITH j AS (VALUES {rows}) {insert}customers ({names}) SELECT {values} FROM j \
             WHERE true ON CONFLICT (bucket, external_id) DO NOTHING",
            rows = vec![row; rows].join(","),
            insert = insert_or_end!(),
            names = names.join(", "),
            values = values.join(", "),
        );
        AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
    }
}

impl Prepared {
    /// Inserts those whose unique id is new; how many.
    pub(super) async fn run(self, tx: &mut Tx) -> Result<u64> {
        let query = sqlx::query_with(self.sql, self.values).persistent(self.is_full);
        Ok(query.execute(&mut **tx).await?.rows_affected())
    }
}
