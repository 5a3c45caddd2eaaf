//! Owns the typed columns of `customers`: which ones a data model has, and how a value gets in and out.
//!
//! The name of a column follows from the field's identifier and the class of its type, so a changed
//! type is a new column and a type changed back finds its values again: text is `f_x` with `n_x`
//! folded beside it, the others are `fi_x`, `fr_x`, `fb_x`, `fd_x` and `ft_x`.

use std::collections::HashSet;

use super::bind::{Bind, Cell};
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::instants::{day, day_number, instant};
use super::sql::{Row, query, query_scalar};
use super::tx::{On, Tx};
use crate::domain::field::{Cardinality, DataModel, Field, FieldType};
use crate::domain::value::Value;

/// How values of a type are stored and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Integer,
    Number,
    Boolean,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970 UTC.
    Instant,
}

impl Class {
    const ALL: [Self; 6] = [
        Self::Text,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::Date,
        Self::Instant,
    ];

    pub(super) fn of(kind: FieldType) -> Self {
        match kind {
            FieldType::Integer => Self::Integer,
            FieldType::Number => Self::Number,
            FieldType::Boolean => Self::Boolean,
            FieldType::Date => Self::Date,
            FieldType::Datetime => Self::Instant,
            FieldType::Text
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Choice => Self::Text,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Text => "f_",
            Self::Integer => "fi_",
            Self::Number => "fr_",
            Self::Boolean => "fb_",
            Self::Date => "fd_",
            Self::Instant => "ft_",
        }
    }

    /// The name of the column that a one-valued field of this class has.
    pub(super) fn column(self, field: &str) -> String {
        format!("{}{field}", self.prefix())
    }

    fn sql_type(self, dialect: Dialect) -> &'static str {
        match self {
            Self::Text => dialect.text_type(),
            Self::Number => "DOUBLE PRECISION",
            Self::Boolean => "SMALLINT",
            Self::Integer | Self::Instant => "BIGINT",
            Self::Date => "INTEGER",
        }
    }

    /// What is stored for a value; an empty text and a number that is none are no value.
    pub(super) fn cell(self, field: &str, value: &Value) -> Result<Cell> {
        Ok(match (self, value) {
            (Self::Text, Value::Text(text)) => (!text.is_empty()).then(|| Bind::Text(text.clone())),
            (Self::Integer, Value::Integer(number)) => Some(Bind::Int(*number)),
            (Self::Number, Value::Number(number)) => {
                // A file keeps no zero with a minus; so no database does.
                number.is_finite().then_some(Bind::Real(*number + 0.0))
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "the column holds floating numbers"
            )]
            (Self::Number, Value::Integer(number)) => Some(Bind::Real(*number as f64)),
            (Self::Boolean, Value::Boolean(truth)) => Some(Bind::Int(i64::from(*truth))),
            (Self::Date, Value::Date(date)) => Some(Bind::Int(day_number(*date))),
            (Self::Instant, Value::Instant(at)) => Some(Bind::Int(at.as_microsecond())),
            _ => {
                return Err(Error::Unusable(format!(
                    "`{value}` is not a value of the field `{field}`"
                )));
            }
        })
    }

    /// A cell as it is stored, of what was listed: floating numbers come as text.
    pub(super) fn listed(self, cell: Cell) -> Cell {
        match (self, cell) {
            (Self::Number, Some(Bind::Text(text))) => text.parse().ok().map(Bind::Real),
            (_, cell) => cell,
        }
    }

    /// The value that is stored.
    pub(super) fn value(self, cell: Cell) -> Result<Option<Value>> {
        Ok(match (self, cell) {
            (Self::Text, Some(Bind::Text(text))) => Some(Value::Text(text)),
            (Self::Integer, Some(Bind::Int(number))) => Some(Value::Integer(number)),
            (Self::Number, Some(Bind::Real(number))) => Some(Value::Number(number)),
            (Self::Boolean, Some(Bind::Int(truth))) => Some(Value::Boolean(truth != 0)),
            (Self::Date, Some(Bind::Int(number))) => Some(Value::Date(day(number)?)),
            (Self::Instant, Some(Bind::Int(number))) => Some(Value::Instant(instant(number)?)),
            _ => None,
        })
    }

    /// Reads what a column of this class holds.
    pub(super) fn read(self, row: &Row, place: usize) -> Result<Cell> {
        Ok(match self {
            Self::Text => row.try_get::<Option<String>>(place)?.map(Bind::Text),
            Self::Number => row.try_get::<Option<f64>>(place)?.map(Bind::Real),
            Self::Integer | Self::Boolean | Self::Date | Self::Instant => {
                row.try_get::<Option<i64>>(place)?.map(Bind::Int)
            }
        })
    }
}

/// The column of a one-valued field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) field: String,
    pub(super) class: Class,
    pub(super) name: String,
    /// Where a text is stored folded.
    pub(super) folded: Option<String>,
}

impl Column {
    pub(super) fn of(field: &Field) -> Result<Self> {
        let class = Class::of(field.kind);
        let identifier = checked(&field.identifier)?;
        Ok(Self {
            field: identifier.to_owned(),
            class,
            name: format!("{}{identifier}", class.prefix()),
            folded: (class == Class::Text).then(|| format!("n_{identifier}")),
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.folded.as_deref())
    }

    /// The names and types of what the table needs for it.
    pub(super) fn definitions(&self, dialect: Dialect) -> Vec<(String, &'static str)> {
        let value = (self.name.clone(), self.class.sql_type(dialect));
        let text = dialect.text_type();
        let folded = self.folded.iter().map(|name| (name.clone(), text));
        std::iter::once(value).chain(folded).collect()
    }
}

/// The columns of a model's one-valued fields, in its order.
pub(super) fn one_valued(model: &DataModel) -> Result<Vec<Column>> {
    model
        .fields
        .iter()
        .filter(|field| field.cardinality == Cardinality::One)
        .map(Column::of)
        .collect()
}

/// The most arguments that a JSON function takes everywhere (PostgreSQL: 100).
const TOGETHER: usize = 90;

/// The columns of `c` as one JSON array of arrays; what comes out is read by [`Class::listed`].
pub(super) fn listed(columns: &[Column]) -> String {
    let cell = |column: &Column| match column.class {
        Class::Number => format!("@exact(c.{})", column.name),
        _ => format!("c.{}", column.name),
    };
    let array = |columns: &[Column]| {
        let cells: Vec<String> = columns.iter().map(cell).collect();
        format!("@array({})", cells.join(", "))
    };
    let arrays: Vec<String> = columns.chunks(TOGETHER).map(array).collect();
    format!("@array({})", arrays.join(", "))
}

/// Adds the columns that the model needs and the table lacks.
pub(super) async fn add(tx: &mut Tx, model: &DataModel) -> Result<()> {
    let dialect = tx.dialect();
    let present: HashSet<String> = query_scalar(dialect.customer_columns())
        .fetch_all(&mut *tx)
        .await?
        .into_iter()
        .collect();
    for column in one_valued(model)? {
        for (name, sql_type) in column.definitions(dialect) {
            if !present.contains(&name) {
                let sql = format!("ALTER TABLE customers ADD COLUMN {name} {sql_type}");
                query(sql).execute(&mut *tx).await?;
            }
        }
    }
    Ok(())
}

/// The columns that there are for a field, of any type that it has had.
pub(super) async fn present<'c>(on: impl Into<On<'c>>, identifier: &str) -> Result<Vec<String>> {
    let on = on.into();
    let identifier = checked(identifier)?;
    let prefixes = Class::ALL.into_iter().map(Class::prefix).chain(["n_"]);
    let ours: Vec<String> = prefixes
        .map(|prefix| format!("{prefix}{identifier}"))
        .collect();
    let mut present: Vec<String> = query_scalar(on.dialect().customer_columns())
        .fetch_all(on)
        .await?;
    present.retain(|name| ours.contains(name));
    Ok(present)
}

/// Adds a column by its name, which says what it holds.
pub(super) async fn add_named(tx: &mut Tx, name: &str) -> Result<()> {
    let class = Class::ALL.into_iter().find_map(|class| {
        let identifier = name.strip_prefix(class.prefix())?;
        Some((class, identifier))
    });
    let folded = || Some((Class::Text, name.strip_prefix("n_")?));
    let (class, identifier) = class.or_else(folded).ok_or_else(|| {
        Error::Unusable(format!("`{name}` of `customers` is no column of a field"))
    })?;
    checked(identifier)?;
    let sql_type = class.sql_type(tx.dialect());
    let sql = format!("ALTER TABLE customers ADD COLUMN {name} {sql_type}");
    query(sql).execute(tx).await?;
    Ok(())
}

/// The only door through which an identifier gets into the text of a statement.
fn checked(identifier: &str) -> Result<&str> {
    let mut bytes = identifier.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if first && rest {
        Ok(identifier)
    } else {
        Err(Error::Unusable(format!(
            "`{identifier}` cannot be a field: expected small letters, digits and `_`, a letter first"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_that_is_no_plain_name_never_reaches_a_statement() {
        for bad in ["", "1st", "Na", "a b", "a;drop", "a\"", "é", "_a"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        assert!(checked("born_on2").is_ok());
    }

    #[test]
    fn fields_of_two_types_never_share_a_column() {
        let mut model = DataModel::default();
        let mut field = model.fields[0].clone();
        let mut seen = HashSet::new();
        for (identifier, kind) in [
            ("x", FieldType::Text),
            ("x", FieldType::Date),
            ("x", FieldType::Integer),
            ("d_x", FieldType::Text),
        ] {
            identifier.clone_into(&mut field.identifier);
            field.kind = kind;
            model.fields = vec![field.clone()];
            for (name, _) in one_valued(&model).unwrap()[0].definitions(Dialect::Sqlite) {
                assert!(seen.insert(name.clone()), "{name}");
            }
        }
    }
}
