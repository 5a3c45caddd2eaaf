//! Owns a batch of customers as it is gathered: typed rows in little memory, in the order they come.

use std::collections::HashMap;

use super::bind::Bind;
use super::customer_columns::{Class, Column};
use super::error::{Error, Result};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, Field};
use crate::domain::ids::Bucket;
use crate::domain::value::Value;

/// A text of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

/// What a row says of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Given {
    Nothing,
    Empty,
    Text(Span),
    Int(i64),
    Real(f64),
}

/// How the texts of a column fold, the dearest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Folding {
    /// They are folded as they stand.
    Same,
    /// By lowering their case.
    Lower,
    /// Accents as well.
    Full,
}

/// Where the values of a field go.
#[derive(Debug, Clone, Copy)]
enum Place {
    Column(usize),
    List(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) bucket: Bucket,
    pub(super) id: Span,
    /// As which it came, counted from 0.
    pub(super) place: u32,
}

/// Rows as they come: little memory for each, and used again and again.
#[derive(Debug)]
pub struct Draft {
    pub(super) columns: Vec<Column>,
    pub(super) lists: Vec<(String, Class)>,
    /// One for each field.
    places: Vec<Place>,
    /// One for each column.
    pub(super) foldings: Vec<Folding>,
    text: String,
    pub(super) rows: Vec<Row>,
    /// Of each row, one for each column.
    pub(super) cells: Vec<Given>,
    /// Of each row, one for each list; none: not given.
    pub(super) listed: Vec<Option<Vec<Bind>>>,
    /// What the values of lists take.
    list_bytes: usize,
}

impl Folding {
    fn of(text: &str) -> Self {
        if !text.is_ascii() {
            Self::Full
        } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Self::Lower
        } else {
            Self::Same
        }
    }
}

impl Draft {
    /// A batch that says something of these fields.
    pub fn new<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Result<Self> {
        let mut draft = Self {
            columns: Vec::new(),
            lists: Vec::new(),
            places: Vec::new(),
            foldings: Vec::new(),
            text: String::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            listed: Vec::new(),
            list_bytes: 0,
        };
        for field in fields {
            draft.add_field(field)?;
        }
        Ok(draft)
    }

    /// The same rows under other ids, each as often as it has some; those without any are left out.
    pub fn rekeyed(&self, ids: &[Vec<String>]) -> Result<Self> {
        let mut draft = Self {
            columns: self.columns.clone(),
            lists: self.lists.clone(),
            places: self.places.clone(),
            foldings: self.foldings.clone(),
            text: String::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            listed: Vec::new(),
            list_bytes: 0,
        };
        for (row, ids) in ids.iter().enumerate() {
            for id in ids {
                draft.copy(self, row, id)?;
            }
        }
        Ok(draft)
    }

    fn copy(&mut self, from: &Self, row: usize, external_id: &str) -> Result<()> {
        let id = self.write(external_id)?;
        self.rows.push(Row {
            bucket: Bucket::of(external_id),
            id,
            place: number(self.rows.len())?,
        });
        let (width, lists) = (self.columns.len(), self.lists.len());
        for given in &from.cells[row * width..(row + 1) * width] {
            let given = match given {
                Given::Text(span) => Given::Text(self.write(from.text(*span))?),
                other => *other,
            };
            self.cells.push(given);
        }
        let listed = &from.listed[row * lists..(row + 1) * lists];
        self.listed.extend(listed.iter().cloned());
        Ok(())
    }

    fn add_field(&mut self, field: &Field) -> Result<()> {
        let place = if field.cardinality == Cardinality::Many {
            let class = Class::of(field.kind);
            self.lists.push((field.identifier.clone(), class));
            Place::List(self.lists.len() - 1)
        } else {
            self.columns.push(Column::of(field)?);
            self.foldings.push(Folding::Same);
            Place::Column(self.columns.len() - 1)
        };
        self.places.push(place);
        Ok(())
    }

    /// Adds a row: values by the place of their field; none clears it, and a field that is not named
    /// stays as it is.
    pub fn push<'a>(
        &mut self,
        external_id: &str,
        values: impl IntoIterator<Item = (usize, Option<&'a FieldValue>)>,
    ) -> Result<()> {
        if external_id.is_empty() {
            return Err(Error::Unusable("a customer needs an `id`".to_owned()));
        }
        let id = self.write(external_id)?;
        let (cells, listed) = (self.cells.len(), self.listed.len());
        self.rows.push(Row {
            bucket: Bucket::of(external_id),
            id,
            place: number(self.rows.len())?,
        });
        self.cells
            .resize(cells + self.columns.len(), Given::Nothing);
        self.listed.resize(listed + self.lists.len(), None);
        for (field, value) in values {
            match self.places[field] {
                Place::Column(n) => self.cells[cells + n] = self.single(n, value)?,
                Place::List(n) => {
                    let values = several(&self.lists[n], value)?;
                    self.list_bytes += values.iter().map(bytes).sum::<usize>();
                    self.listed[listed + n] = Some(values);
                }
            }
        }
        Ok(())
    }

    fn single(&mut self, column: usize, value: Option<&FieldValue>) -> Result<Given> {
        let Column { field, class, .. } = &self.columns[column];
        let value = match value {
            None => return Ok(Given::Empty),
            Some(FieldValue::One(value)) => value,
            Some(FieldValue::Many(_)) => {
                return Err(Error::Unusable(format!(
                    "the field `{field}` holds one value: got several"
                )));
            }
        };
        if let (Class::Text, Value::Text(text)) = (class, value) {
            self.foldings[column] = self.foldings[column].max(Folding::of(text));
            return Ok(if text.is_empty() {
                Given::Empty
            } else {
                Given::Text(self.write(text)?)
            });
        }
        Ok(match class.cell(field, value)? {
            None => Given::Empty,
            Some(Bind::Int(number)) => Given::Int(number),
            Some(Bind::Real(number)) => Given::Real(number),
            Some(Bind::Text(text)) => Given::Text(self.write(&text)?),
        })
    }

    fn write(&mut self, text: &str) -> Result<Span> {
        let start = number(self.text.len())?;
        self.text.push_str(text);
        number(self.text.len())?;
        Ok(Span {
            start,
            length: number(text.len())?,
        })
    }

    pub(super) fn text(&self, span: Span) -> &str {
        let (start, length) = (span.start as usize, span.length as usize);
        &self.text[start..start + length]
    }

    /// Makes room for so many rows and bytes at once: room that grows is copied, and held twice
    /// meanwhile. What is not used takes no memory.
    pub fn reserve(&mut self, rows: usize, bytes: usize) {
        let row = size_of::<Row>() + self.columns.len() * size_of::<Given>();
        let rows = rows.min(bytes / row);
        self.rows.reserve_exact(rows);
        self.cells.reserve_exact(rows * self.columns.len());
        self.listed.reserve_exact(rows * self.lists.len());
        self.text.reserve_exact(bytes);
    }

    /// The ids of the rows, as they came.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| self.text(row.id))
    }

    /// Puts rows under other ids; those that are not named keep theirs.
    pub fn rename(&mut self, names: &HashMap<String, String>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        for place in 0..self.rows.len() {
            if let Some(name) = names.get(self.text(self.rows[place].id)) {
                let id = self.write(name)?;
                let row = &mut self.rows[place];
                (row.id, row.bucket) = (id, Bucket::of(name));
            }
        }
        Ok(())
    }

    /// How many rows came.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes all rows out, and keeps their memory.
    pub fn clear(&mut self) {
        self.foldings.fill(Folding::Same);
        self.text.clear();
        self.rows.clear();
        self.cells.clear();
        self.listed.clear();
        self.list_bytes = 0;
    }

    /// About what the rows take.
    pub fn bytes(&self) -> usize {
        self.text.len()
            + self.rows.len() * size_of::<Row>()
            + self.cells.len() * size_of::<Given>()
            + self.list_bytes
    }
}

fn number(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::Unusable("a batch holds 4 GiB at most".to_owned()))
}

fn bytes(value: &Bind) -> usize {
    let text = match value {
        Bind::Text(text) => text.len(),
        Bind::Int(_) | Bind::Real(_) => 0,
    };
    size_of::<Bind>() + text
}

fn several((field, class): &(String, Class), value: Option<&FieldValue>) -> Result<Vec<Bind>> {
    let values: &[Value] = match value {
        None => &[],
        Some(FieldValue::One(value)) => std::slice::from_ref(value),
        Some(FieldValue::Many(values)) => values,
    };
    values
        .iter()
        .filter_map(|value| class.cell(field, value).transpose())
        .collect()
}
