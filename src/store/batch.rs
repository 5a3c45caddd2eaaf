//! Owns batches on their way to a server: the JSON text of a batch becomes an array for each column,
//! which the server reads forty times as fast as the JSON.

use super::arg::Arg;
use super::bind::Bind;
use super::error::{Error, Result};

/// What one form of a statement takes from the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// `@ids`: numbers.
    Ids,
    /// `@rows(…)`: rows of these columns.
    Rows(Vec<Column>),
}

/// A column of `@rows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its place in a row of the batch.
    pub(super) place: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Real,
    Text,
}

impl Kind {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Whole => "BIGINT",
            Self::Real => "DOUBLE PRECISION",
            Self::Text => "TEXT",
        }
    }
}

impl Shape {
    /// How many arrays it takes.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Ids => 1,
            Self::Rows(columns) => columns.len(),
        }
    }

    /// The arrays, from the JSON text of the batch.
    pub(super) fn arrays(&self, batch: &str) -> Result<Vec<Arg<'static>>> {
        let unreadable = |error: serde_json::Error| Error::Corrupt(format!("a batch: {error}"));
        match self {
            Self::Ids => {
                let ids: Vec<Option<i64>> = serde_json::from_str(batch).map_err(unreadable)?;
                Ok(vec![Arg::Ints(ids)])
            }
            Self::Rows(columns) => {
                let rows: Vec<Vec<Option<Bind>>> =
                    serde_json::from_str(batch).map_err(unreadable)?;
                Ok(columns.iter().map(|column| column.array(&rows)).collect())
            }
        }
    }
}

impl Column {
    /// As `name TYPE place`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, kind @ .., place] = words.as_slice() else {
            return None;
        };
        Some(Self {
            name: (*name).to_owned(),
            place: place.parse().ok()?,
            kind: match kind {
                ["TEXT", ..] => Kind::Text,
                ["DOUBLE", ..] => Kind::Real,
                _ => Kind::Whole,
            },
        })
    }

    fn array(&self, rows: &[Vec<Option<Bind>>]) -> Arg<'static> {
        let cells = rows.iter().map(|row| row.get(self.place)?.as_ref());
        match self.kind {
            Kind::Whole => Arg::Ints(cells.map(|cell| whole(cell?)).collect()),
            Kind::Real => Arg::Reals(cells.map(|cell| real(cell?)).collect()),
            Kind::Text => Arg::Texts(cells.map(|cell| Some(text(cell?))).collect()),
        }
    }
}

fn whole(cell: &Bind) -> Option<i64> {
    match cell {
        Bind::Int(number) => Some(*number),
        Bind::Text(text) => text.parse().ok(),
        Bind::Real(_) => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the column holds floating numbers"
)]
fn real(cell: &Bind) -> Option<f64> {
    match cell {
        Bind::Real(number) => Some(*number),
        Bind::Int(number) => Some(*number as f64),
        Bind::Text(text) => text.parse().ok(),
    }
}

fn text(cell: &Bind) -> String {
    match cell {
        Bind::Text(text) => text.clone(),
        Bind::Int(number) => number.to_string(),
        Bind::Real(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_becomes_an_array_for_each_column() {
        let columns = ["id BIGINT 0", "why TEXT 2", "x DOUBLE PRECISION 1"];
        let shape = Shape::Rows(
            columns
                .iter()
                .filter_map(|text| Column::read(text))
                .collect(),
        );
        let arrays = shape
            .arrays(r#"[[7,1.5,"a"],[8,null,null],[9,2,"c"]]"#)
            .unwrap();
        assert!(matches!(&arrays[0], Arg::Ints(ids) if *ids == [Some(7), Some(8), Some(9)]));
        let why = [Some("a".to_owned()), None, Some("c".to_owned())];
        assert!(matches!(&arrays[1], Arg::Texts(texts) if *texts == why));
        assert!(matches!(&arrays[2], Arg::Reals(x) if *x == [Some(1.5), None, Some(2.0)]));
    }

    #[test]
    fn what_is_no_batch_is_an_error() {
        assert!(Shape::Ids.arrays("[1,").is_err());
    }
}
