//! Owns what a batch of customers says, typed and sorted as the store keeps them, before anything is
//! compared.

use std::collections::BTreeMap;
use std::ops::Range;

use super::bind::{Bind, Cell};
use super::customer_columns::{Class, Column};
use super::error::{Error, Result};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, DataModel, Field};
use crate::domain::ids::Bucket;
use crate::domain::value::Value;

/// One customer as a file or a person gives it. A field that is not named stays as it is; none clears.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    pub external_id: String,
    pub fields: Vec<(String, Option<FieldValue>)>,
}

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
struct Row {
    bucket: Bucket,
    id: Span,
    /// As which it came, counted from 0.
    place: u32,
}

/// Rows as they come: little memory for each, and used again and again.
#[derive(Debug)]
pub struct Draft {
    columns: Vec<Column>,
    lists: Vec<(String, Class)>,
    /// One for each field.
    places: Vec<Place>,
    /// One for each column.
    foldings: Vec<Folding>,
    text: String,
    rows: Vec<Row>,
    /// Of each row, one for each column.
    cells: Vec<Given>,
    /// Of each row, one for each list; none: not given.
    listed: Vec<Option<Vec<Bind>>>,
    /// What the values of lists take.
    list_bytes: usize,
}

/// A batch in the store's order, each customer once.
#[derive(Debug)]
pub struct Sheet(Draft);

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

    fn text(&self, span: Span) -> &str {
        let (start, length) = (span.start as usize, span.length as usize);
        &self.text[start..start + length]
    }

    /// How many rows came.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// About what the rows take.
    pub fn bytes(&self) -> usize {
        self.text.len()
            + self.rows.len() * size_of::<Row>()
            + self.cells.len() * size_of::<Given>()
            + self.list_bytes
    }

    /// Sorts the rows, and lays the later ones of a customer over the first, field by field; how many
    /// that took away.
    pub fn sorted(mut self) -> (Sheet, u64) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| {
            let by_id = || self.text(a.id).cmp(self.text(b.id));
            let by_place = || a.place.cmp(&b.place);
            a.bucket.cmp(&b.bucket).then_with(by_id).then_with(by_place)
        });
        let came = rows.len();
        rows.dedup_by(|later, row| {
            let same = self.text(later.id) == self.text(row.id);
            if same {
                self.overlay(row.place as usize, later.place as usize);
            }
            same
        });
        let taken_away = came - rows.len();
        self.rows = rows;
        (Sheet(self), taken_away as u64)
    }

    fn overlay(&mut self, row: usize, later: usize) {
        let width = self.columns.len();
        for n in 0..width {
            let given = self.cells[later * width + n];
            if given != Given::Nothing {
                self.cells[row * width + n] = given;
            }
        }
        let width = self.lists.len();
        for n in 0..width {
            if let Some(given) = self.listed[later * width + n].take() {
                self.listed[row * width + n] = Some(given);
            }
        }
    }
}

impl Sheet {
    /// The customers as they are given to the store by hand.
    pub(super) fn of(customers: &[NewCustomer], model: &DataModel) -> Result<Self> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut fields = Vec::new();
        for (name, _) in customers.iter().flat_map(|customer| &customer.fields) {
            if !places.contains_key(name.as_str()) {
                let field = model
                    .field(name)
                    .ok_or_else(|| Error::NotFound(format!("the field `{name}`")))?;
                places.insert(name.as_str(), fields.len());
                fields.push(field);
            }
        }
        let mut draft = Draft::new(fields)?;
        for customer in customers {
            let values = customer.fields.iter();
            let values = values.map(|(name, value)| (places[name.as_str()], value.as_ref()));
            draft.push(&customer.external_id, values)?;
        }
        Ok(draft.sorted().0)
    }

    /// An empty draft for the same fields, in the same memory.
    pub fn emptied(self) -> Draft {
        let mut draft = self.0;
        draft.foldings.fill(Folding::Same);
        draft.text.clear();
        draft.rows.clear();
        draft.cells.clear();
        draft.listed.clear();
        draft.list_bytes = 0;
        draft
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.0.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// All rows.
    pub fn rows(&self) -> Range<usize> {
        0..self.len()
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    pub(super) fn lists(&self) -> &[(String, Class)] {
        &self.0.lists
    }

    /// The columns, each with how its texts fold; nothing for one that is not stored folded.
    pub(super) fn foldings(&self) -> impl Iterator<Item = (&Column, Option<Folding>)> {
        let columns = self.0.columns.iter().zip(&self.0.foldings);
        columns.map(|(column, folding)| (column, column.folded.as_ref().map(|_| *folding)))
    }

    pub(super) fn bucket(&self, row: usize) -> Bucket {
        self.0.rows[row].bucket
    }

    pub(super) fn external_id(&self, row: usize) -> &str {
        self.text(self.0.rows[row].id)
    }

    pub(super) fn text(&self, span: Span) -> &str {
        self.0.text(span)
    }

    /// What a row says, one for each column.
    pub(super) fn given(&self, row: usize) -> &[Given] {
        let (place, width) = (self.0.rows[row].place as usize, self.0.columns.len());
        &self.0.cells[place * width..(place + 1) * width]
    }

    /// What a row says, one for each list.
    pub(super) fn listed(&self, row: usize) -> &[Option<Vec<Bind>>] {
        let (place, width) = (self.0.rows[row].place as usize, self.0.lists.len());
        &self.0.listed[place * width..(place + 1) * width]
    }

    /// What a cell is once a row was laid over it.
    pub(super) fn laid(&self, given: Given, over: Cell) -> Cell {
        match given {
            Given::Nothing => over,
            Given::Empty => None,
            Given::Text(span) => Some(Bind::Text(self.text(span).to_owned())),
            Given::Int(number) => Some(Bind::Int(number)),
            Given::Real(number) => Some(Bind::Real(number)),
        }
    }

    /// Whether laying a row over a cell leaves it as it is.
    pub(super) fn leaves(&self, given: Given, cell: &Cell) -> bool {
        match (given, cell) {
            (Given::Nothing, _) | (Given::Empty, None) => true,
            (Given::Text(span), Some(Bind::Text(text))) => self.text(span) == text,
            (Given::Int(given), Some(Bind::Int(number))) => given == *number,
            (Given::Real(given), Some(real)) => *real == Bind::Real(given),
            _ => false,
        }
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
