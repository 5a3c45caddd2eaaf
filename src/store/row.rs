//! Owns the rows that a database answers, and how their values are read whichever database it is.

use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use super::error::{Error, Result};

/// One row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    /// The lists that several shards answered, as one.
    Listed(String),
}

/// JSON lists that several shards answered, on their way to be one.
#[derive(Default)]
pub(super) struct Lists {
    within: String,
    pub(super) rows: usize,
}

impl Lists {
    pub(super) fn add(&mut self, list: &str) -> Result<()> {
        let unreadable = |error: serde_json::Error| Error::Corrupt(format!("a list: {error}"));
        let rows: Vec<&RawValue> = serde_json::from_str(list).map_err(unreadable)?;
        for row in rows {
            if self.rows > 0 {
                self.within.push(',');
            }
            self.within.push_str(row.get());
            self.rows += 1;
        }
        Ok(())
    }

    pub(super) fn whole(self) -> String {
        format!("[{}]", self.within)
    }
}

/// What a column can be read as.
pub(super) trait Value: Sized {
    fn read(row: &Row, place: usize) -> Result<Self>;
}

impl Row {
    /// The value in a column, counted from 0.
    pub(super) fn try_get<T: Value>(&self, place: usize) -> Result<T> {
        T::read(self, place)
    }

    /// The text in a column, where it lies.
    pub(super) fn text(&self, place: usize) -> Result<&str> {
        match self {
            Self::Listed(list) if place == 0 => Ok(list),
            _ => self.decode(place),
        }
    }

    /// The only value.
    pub(super) fn take<T: Value>(&self) -> Result<T> {
        self.try_get(0)
    }

    /// PostgreSQL has integers of several widths, and truths beside them: all are read alike.
    fn decode<'r, T>(&'r self, place: usize) -> Result<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(place)?,
            Self::Postgres(row) => row.try_get_unchecked(place)?,
            Self::Listed(_) => {
                let why = format!("the column {place} of several shards' answers");
                return Err(Error::Unusable(why));
            }
        })
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

macro_rules! as_they_are {
    ($($kind:ty)+) => {$(
        impl Value for $kind {
            fn read(row: &Row, place: usize) -> Result<Self> {
                row.decode(place)
            }
        }

        impl Value for Option<$kind> {
            fn read(row: &Row, place: usize) -> Result<Self> {
                row.decode(place)
            }
        }
    )+};
}

impl Value for String {
    fn read(row: &Row, place: usize) -> Result<Self> {
        row.text(place).map(str::to_owned)
    }
}

impl Value for Option<String> {
    fn read(row: &Row, place: usize) -> Result<Self> {
        row.decode(place)
    }
}

macro_rules! narrower {
    ($($kind:ty)+) => {$(
        impl Value for $kind {
            fn read(row: &Row, place: usize) -> Result<Self> {
                narrow(i64::read(row, place)?)
            }
        }

        impl Value for Option<$kind> {
            fn read(row: &Row, place: usize) -> Result<Self> {
                <Option<i64>>::read(row, place)?.map(narrow).transpose()
            }
        }
    )+};
}

as_they_are!(i64 f64 bool Vec<u8>);
narrower!(i32 u32 u16);

fn narrow<T: TryFrom<i64>>(number: i64) -> Result<T> {
    T::try_from(number).map_err(|_| Error::Corrupt(format!("{number} is out of its range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_one_list() {
        let mut lists = Lists::default();
        for list in ["[]", "[[1,\"a, b\"],[2,null]]", "[]", "[[3,\"]\"]]"] {
            lists.add(list).unwrap();
        }
        assert_eq!(lists.rows, 3);
        assert_eq!(lists.whole(), "[[1,\"a, b\"],[2,null],[3,\"]\"]]");
    }
}
