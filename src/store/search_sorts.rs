//! Owns the orders in which found customers come: by what, how it is read, and where a page went on.

use serde::{Deserialize, Serialize};

use super::bind::{Bind, Cell};
use super::customer_columns::{Class, Column};
use super::error::{Error, Result};
use super::sql::Row;
use crate::domain::field::{Cardinality, DataModel};
use crate::domain::segment::Moment;

/// Longer texts that begin alike come by their numbers.
const COMPARED: u8 = 100;

/// By what customers are sorted. Who has no value comes last, whatever the direction; who have the same
/// come by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SortBy {
    /// In no order that says anything, and at no cost.
    #[default]
    Number,
    /// The unique id.
    Id,
    Moment(Moment),
    /// A one-valued field; texts without case and accents.
    Field(String),
}

/// The value that a customer was sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortKey {
    Text(String),
    Int(i64),
    /// The bits of a floating number: its text might not read back as the same.
    Real(u64),
}

/// What is sorted by, as SQL over `c` = customers and `y` = activity.
pub(super) struct Sorted {
    pub(super) value: String,
    class: Class,
    /// The column of `activity`, if it is there.
    pub(super) activity: Option<&'static str>,
}

impl Sorted {
    /// None for the order of the numbers.
    pub(super) fn of(by: &SortBy, model: &DataModel) -> Result<Option<Self>> {
        let instant = |column| Self {
            value: format!("y.{column}"),
            class: Class::Instant,
            activity: Some(column),
        };
        Ok(Some(match by {
            SortBy::Number => return Ok(None),
            SortBy::Id => Self::own("c.external_id".to_owned(), Class::Text),
            SortBy::Moment(Moment::Created) => Self::own("c.created_at".to_owned(), Class::Instant),
            SortBy::Moment(Moment::LastActivity) => instant("last_activity_at"),
            SortBy::Moment(Moment::LastEngagement) => instant("last_engagement_at"),
            SortBy::Moment(Moment::LastTransaction) => instant("last_transaction_at"),
            SortBy::Field(name) => {
                let field = model.field(name);
                let field = field.filter(|field| field.cardinality == Cardinality::One);
                let field = field.ok_or_else(|| Error::NotFound(format!("the field `{name}`")))?;
                let column = Column::of(field)?;
                let value = match &column.folded {
                    Some(folded) => format!("substr(c.{folded}, 1, {COMPARED})"),
                    None => format!("c.{}", column.name),
                };
                Self::own(value, column.class)
            }
        }))
    }

    fn own(value: String, class: Class) -> Self {
        Self {
            value,
            class,
            activity: None,
        }
    }

    /// Reads the value of a row.
    pub(super) fn read(&self, row: &Row, place: usize) -> Result<Option<SortKey>> {
        let cell: Cell = self.class.read(row, place)?;
        Ok(cell.map(|bind| match bind {
            Bind::Text(text) => SortKey::Text(text),
            Bind::Int(number) => SortKey::Int(number),
            Bind::Real(number) => SortKey::Real(number.to_bits()),
        }))
    }

    /// A key of a cursor that is none of this column's begins from the start.
    pub(super) fn bind(&self, key: &SortKey) -> Option<Bind> {
        match (key, self.class) {
            (SortKey::Text(text), Class::Text) => Some(Bind::Text(text.clone())),
            (SortKey::Real(bits), Class::Number) => Some(Bind::Real(f64::from_bits(*bits))),
            (SortKey::Int(_), Class::Text | Class::Number) => None,
            (SortKey::Int(number), _) => Some(Bind::Int(*number)),
            _ => None,
        }
    }
}
