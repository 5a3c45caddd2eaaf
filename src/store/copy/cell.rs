//! Owns the values of a copied row: read as they are, compared by their bits, refused where the other
//! database has no such value.

use xxhash_rust::xxh3::xxh3_64;

use super::super::arg::Arg;
use super::super::catalog::{Column, Kind};
use super::super::dialect::Dialect;
use super::super::error::{Error, Result};
use super::super::sql::Row;

/// SQLite writes floating numbers without a fraction as whole ones.
const MINUS_ZERO: u64 = 1 << 63;

/// One value of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Rows and the sum of their hashes: the same for the same rows, in whatever order they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) hash: u64,
}

impl Cell {
    pub(super) fn read(row: &Row, place: usize, kind: Kind) -> Result<Self> {
        let cell = match kind {
            Kind::Whole(_) => row.try_get::<Option<i64>>(place)?.map(Self::Whole),
            Kind::Real => row.try_get::<Option<f64>>(place)?.map(Self::Real),
            Kind::Text => row.try_get::<Option<String>>(place)?.map(Self::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>>(place)?.map(Self::Bytes),
        };
        Ok(cell.unwrap_or(Self::Null))
    }

    pub(super) fn arg(&self) -> Arg<'_> {
        match self {
            Self::Null => Arg::Int(None),
            Self::Whole(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => bytes.as_slice().into(),
        }
    }

    /// Why the column of the other database cannot hold this value as it is.
    fn unfit(&self, column: &Column, there: Dialect) -> Option<String> {
        match (self, column.kind, there) {
            (Self::Whole(number), Kind::Whole(bits), _) if !fits(*number, bits) => {
                Some(format!("{number} is no whole number of {bits} bits"))
            }
            (Self::Text(text), _, Dialect::Postgres | Dialect::Citus) if text.contains('\0') => {
                Some("the text holds a NUL character, which PostgreSQL cannot store".to_owned())
            }
            (Self::Real(number), _, Dialect::Sqlite) if number.is_nan() => {
                Some("SQLite cannot store a number that is none".to_owned())
            }
            (Self::Real(number), _, Dialect::Sqlite) if number.to_bits() == MINUS_ZERO => {
                Some("SQLite cannot store a zero with a minus".to_owned())
            }
            _ => None,
        }
    }

    /// A tag, the length where it varies, and the bits.
    fn encode(&self, into: &mut Vec<u8>) {
        let (tag, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Whole(number) => (1, &number.to_le_bytes()),
            Self::Real(number) => (2, &number.to_bits().to_le_bytes()),
            Self::Text(text) => (3, text.as_bytes()),
            Self::Bytes(bytes) => (4, bytes),
        };
        into.push(tag);
        into.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        into.extend_from_slice(bytes);
    }
}

fn fits(number: i64, bits: u32) -> bool {
    let spare = 64 - bits;
    (number << spare) >> spare == number
}

impl Sum {
    pub(super) fn add(&mut self, row: &[Cell], buffer: &mut Vec<u8>) {
        buffer.clear();
        for cell in row {
            cell.encode(buffer);
        }
        self.rows += 1;
        self.hash = self.hash.wrapping_add(xxh3_64(buffer));
    }
}

/// Refuses a row of which the other database cannot hold a value as it is.
pub(super) fn refuse_unfit(
    table: &str,
    columns: &[Column],
    row: &[Cell],
    there: Dialect,
) -> Result<()> {
    for (column, cell) in columns.iter().zip(row) {
        if let Some(why) = cell.unfit(column, there) {
            let (key, name) = (key_of(columns, row), &column.name);
            return Err(Error::Unusable(format!(
                "the row {key} of `{table}` cannot be copied: `{name}`: {why}; correct the row, then \
                 copy again"
            )));
        }
    }
    Ok(())
}

/// `bucket 3, customer_id 844424930131969`.
fn key_of(columns: &[Column], row: &[Cell]) -> String {
    let keys = columns.iter().zip(row).filter(|(column, _)| column.is_key);
    let each = keys.map(|(column, cell)| {
        let value = match cell {
            Cell::Whole(number) => number.to_string(),
            Cell::Text(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        format!("{} {value}", column.name)
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[Vec<Cell>]) -> Sum {
        let (mut sum, mut buffer) = (Sum::default(), Vec::new());
        for row in rows {
            sum.add(row, &mut buffer);
        }
        sum
    }

    #[test]
    fn the_sum_is_the_same_in_any_order_and_another_for_any_other_bit() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows = [
            vec![Cell::Whole(1), text("a"), Cell::Null],
            vec![Cell::Whole(2), text(""), Cell::Real(0.0)],
        ];
        let turned = [rows[1].clone(), rows[0].clone()];
        assert_eq!(sum(&rows), sum(&turned));
        for (row, place, other) in [
            (0, 0, Cell::Real(1.0)),
            (0, 1, Cell::Bytes(b"a".to_vec())),
            (0, 2, text("")),
            (1, 1, Cell::Null),
            (1, 2, Cell::Real(-0.0)),
        ] {
            let mut changed = rows.clone();
            changed[row][place] = other;
            assert_ne!(sum(&changed), sum(&rows), "{changed:?}");
        }
        let split = [vec![text("ab"), text("c")], vec![text("a"), text("bc")]];
        assert_ne!(sum(&split[..1]), sum(&split[1..]));
    }

    #[test]
    fn a_value_that_the_other_database_has_not_is_refused_by_its_place() {
        let column = |name: &str, kind, is_key| Column {
            name: name.to_owned(),
            kind,
            is_key,
        };
        let columns = [
            column("bucket", Kind::Whole(16), true),
            column("note", Kind::Text, false),
            column("share", Kind::Real, false),
        ];
        let refused = |row: &[Cell], there| {
            let refused = refuse_unfit("notes", &columns, row, there);
            refused.err().map(|error| error.to_string())
        };
        let row = |bucket, note: &str, share| {
            let note = Cell::Text(note.to_owned());
            [Cell::Whole(bucket), note, Cell::Real(share)]
        };
        assert_eq!(
            refused(&row(32_767, "a", f64::NAN), Dialect::Postgres),
            None
        );
        assert_eq!(refused(&row(-32_768, "a\0", 1e308), Dialect::Sqlite), None);
        for (row, there, place) in [
            (row(32_768, "a", 0.0), Dialect::Postgres, "`bucket`: 32768"),
            (row(7, "a\0", 0.0), Dialect::Postgres, "`note`: the text"),
            (row(7, "a", f64::NAN), Dialect::Sqlite, "`share`: SQLite"),
        ] {
            let refused = refused(&row, there).unwrap();
            assert!(refused.contains("of `notes`"), "{refused}");
            assert!(refused.contains(place), "{refused}");
        }
    }
}
