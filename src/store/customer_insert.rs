//! Owns the inserting of new customers: many in a statement, and what all of them share bound once.

use std::sync::Arc;

use super::arg::Arg;
use super::customer_columns::{Class, Column};
use super::customer_draft::{Folding, Given};
use super::customer_sheet::Sheet;
use super::dialect::{Dialect, MOST_BINDS};
use super::error::Result;
use super::sql::{Query, query};
use super::tx::Tx;
use crate::domain::ids::CustomerId;
use crate::domain::value::fold;

/// More rows in a statement gain nothing (measured: 50, 500 and 5,000 differ by less than the noise).
const MOST_ROWS: usize = 500;
/// On a server each statement is a way there and back.
const MOST_ROWS_AWAY: usize = 2_000;

/// How the rows of one sheet become new customers.
pub(super) struct Insertion<'a> {
    sheet: &'a Sheet,
    dialect: Dialect,
    /// The columns that have the same value in every row.
    shared: Vec<(&'static str, i64)>,
    most: usize,
    /// The statement for as many rows as fit, if there are so many.
    full: Option<Arc<str>>,
}

/// A statement with its values.
pub(super) struct Prepared {
    text: Arc<str>,
    is_full: bool,
    values: Vec<Arg<'static>>,
}

impl<'a> Insertion<'a> {
    pub(super) fn new(
        sheet: &'a Sheet,
        dialect: Dialect,
        shared: Vec<(&'static str, i64)>,
    ) -> Self {
        let widest = 2 + sheet.columns().len() * 2;
        let most = match dialect {
            Dialect::Sqlite => ((MOST_BINDS - shared.len()) / widest).clamp(1, MOST_ROWS),
            Dialect::Postgres | Dialect::Citus => MOST_ROWS_AWAY,
        };
        let mut insertion = Self {
            sheet,
            dialect,
            shared,
            most,
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
    pub(super) fn prepare(&self, rows: &[(usize, CustomerId)]) -> Prepared {
        let full = self.full.as_ref().filter(|_| rows.len() == self.most);
        let mut values = match self.dialect {
            Dialect::Sqlite => self.row_by_row(rows),
            Dialect::Postgres | Dialect::Citus => self.column_by_column(rows),
        };
        values.extend(self.shared.iter().map(|(_, value)| Arg::from(*value)));
        Prepared {
            is_full: full.is_some() || self.dialect != Dialect::Sqlite,
            text: full.map_or_else(|| self.text(rows.len()), Arc::clone),
            values,
        }
    }

    /// For each column, whether its folded texts are bound as well.
    fn folds(&self) -> Vec<bool> {
        let foldings = self.sheet.foldings();
        foldings
            .map(|(_, folding)| folding == Some(Folding::Full))
            .collect()
    }

    fn row_by_row(&self, rows: &[(usize, CustomerId)]) -> Vec<Arg<'static>> {
        let folds = self.folds();
        let width = 2 + folds.len() + folds.iter().filter(|folds| **folds).count();
        let mut values = Vec::with_capacity(rows.len() * width + self.shared.len());
        for (row, id) in rows {
            values.push(id.0.into());
            values.push(Arg::Shared(self.sheet.external_id(*row).into()));
            for (given, folds) in self.sheet.given(*row).iter().zip(&folds) {
                values.push(match given {
                    Given::Nothing | Given::Empty => Arg::Int(None),
                    Given::Text(span) => Arg::Shared(self.sheet.text(*span).into()),
                    Given::Int(number) => (*number).into(),
                    Given::Real(number) => (*number).into(),
                });
                match given {
                    Given::Text(span) if *folds => values.push(fold(self.sheet.text(*span)).into()),
                    _ if *folds => values.push(Arg::Int(None)),
                    _ => {}
                }
            }
        }
        values
    }

    fn column_by_column(&self, rows: &[(usize, CustomerId)]) -> Vec<Arg<'static>> {
        let ids = rows.iter().map(|(_, id)| Some(id.0)).collect();
        let names = rows.iter().map(|(row, _)| self.sheet.external_id(*row));
        let names = names.map(|name| Some(name.to_owned())).collect();
        let mut values = vec![Arg::Ints(ids), Arg::Texts(names)];
        for (place, column) in self.sheet.columns().iter().enumerate() {
            let given = rows.iter().map(|(row, _)| &self.sheet.given(*row)[place]);
            let texts = |written: fn(&str) -> String| {
                let text = |given: &Given| match given {
                    Given::Text(span) => Some(written(self.sheet.text(*span))),
                    _ => None,
                };
                Arg::Texts(given.clone().map(text).collect())
            };
            values.push(match column.class {
                Class::Text => texts(str::to_owned),
                Class::Number => Arg::Reals(given.clone().map(real).collect()),
                _ => Arg::Ints(given.clone().map(whole).collect()),
            });
            if self.folds()[place] {
                values.push(texts(fold));
            }
        }
        values
    }

    fn text(&self, rows: usize) -> Arc<str> {
        let mut names = vec!["bucket", "customer_id", "external_id"];
        let mut values = ["j.column1 >> 48", "j.column1", "j.column2"]
            .map(str::to_owned)
            .to_vec();
        let mut kinds = vec!["BIGINT", "TEXT"];
        for (column, folding) in self.sheet.foldings() {
            kinds.push(array_of(column));
            let width = kinds.len();
            names.extend(column.names());
            values.push(format!("j.column{width}"));
            match folding {
                None => {}
                Some(Folding::Same) => values.push(format!("j.column{width}")),
                Some(Folding::Lower) => values.push(format!("@lower(j.column{width})")),
                Some(Folding::Full) => {
                    kinds.push("TEXT");
                    values.push(format!("j.column{}", kinds.len()));
                }
            }
        }
        let (from, first) = match self.dialect {
            Dialect::Sqlite => (given_by_row(kinds.len(), rows), kinds.len() * rows + 1),
            Dialect::Postgres | Dialect::Citus => (given_by_column(&kinds), kinds.len() + 1),
        };
        for ((name, _), place) in self.shared.iter().zip(first..) {
            names.push(name);
            values.push(format!("${place}"));
        }
        let text = format!(
            "WITH j AS ({from}) @insert customers ({names}) SELECT {values} FROM j \
             WHERE true ON CONFLICT (bucket, external_id) DO NOTHING",
            names = names.join(", "),
            values = values.join(", "),
        );
        self.dialect.text(text.into()).into()
    }
}

/// Nameless placeholders: SQLite finds the n-th named one by walking all before it.
fn given_by_row(width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!("VALUES {}", vec![row; rows].join(","))
}

fn given_by_column(kinds: &[&str]) -> String {
    let array = |(kind, place): (&&str, usize)| format!("CAST(${place} AS {kind}[])");
    let arrays: Vec<String> = kinds.iter().zip(1..).map(array).collect();
    let names: Vec<String> = (1..=kinds.len()).map(|n| format!("column{n}")).collect();
    let (arrays, names) = (arrays.join(", "), names.join(", "));
    format!("SELECT u.* FROM unnest({arrays}) AS u ({names})")
}

fn array_of(column: &Column) -> &'static str {
    match column.class {
        Class::Text => "TEXT",
        Class::Number => "DOUBLE PRECISION",
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => "BIGINT",
    }
}

fn whole(given: &Given) -> Option<i64> {
    match given {
        Given::Int(number) => Some(*number),
        _ => None,
    }
}

fn real(given: &Given) -> Option<f64> {
    match given {
        Given::Real(number) => Some(*number),
        _ => None,
    }
}

impl Prepared {
    /// Inserts those whose unique id is new; how many.
    pub(super) async fn run(self, tx: &mut Tx) -> Result<u64> {
        let statement = self.values.into_iter().fold(query(self.text), Query::bind);
        statement.persistent(self.is_full).execute(tx).await
    }
}
