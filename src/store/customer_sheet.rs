//! Owns what a batch of customers says, sorted as the store keeps them, before anything is compared.

use std::collections::BTreeMap;

use super::bind::{Bind, Cell};
use super::customer_columns::{Class, Column};
use super::error::{Error, Result};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, DataModel, Field};
use crate::domain::ids::Bucket;
use crate::domain::value::{Value, fold};

/// One customer as a file or a person gives it. A field that is not named stays as it is; none clears.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    pub external_id: String,
    pub fields: Vec<(String, Option<FieldValue>)>,
}

/// What a row says of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    Nothing,
    Value(Cell),
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) bucket: Bucket,
    pub(super) external_id: String,
    /// One for each column of the sheet.
    pub(super) cells: Vec<Given>,
    /// One for each list of the sheet; none: not given.
    pub(super) lists: Vec<Option<Vec<Bind>>>,
}

/// A batch: which fields it names, and what each customer has in them; one row for a customer.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) columns: Vec<Column>,
    pub(super) lists: Vec<(String, Class)>,
    pub(super) rows: Vec<Row>,
}

/// Where a field's values go.
#[derive(Clone, Copy)]
enum Place {
    Column(usize),
    List(usize),
}

impl Sheet {
    /// Later rows of the same customer win, field by field.
    pub(super) fn of(customers: &[NewCustomer], model: &DataModel) -> Result<Self> {
        let mut sheet = Self {
            columns: Vec::new(),
            lists: Vec::new(),
            rows: Vec::with_capacity(customers.len()),
        };
        let places = sheet.places(customers, model)?;
        for customer in customers {
            let row = sheet.row(customer, &places)?;
            sheet.rows.push(row);
        }
        sheet
            .rows
            .sort_by(|a, b| (a.bucket, &a.external_id).cmp(&(b.bucket, &b.external_id)));
        sheet.rows.dedup_by(|later, row| {
            let same = later.external_id == row.external_id;
            if same {
                row.overlay(later);
            }
            same
        });
        Ok(sheet)
    }

    fn places<'a>(
        &mut self,
        customers: &'a [NewCustomer],
        model: &DataModel,
    ) -> Result<BTreeMap<&'a str, Place>> {
        let mut places = BTreeMap::new();
        for (name, _) in customers.iter().flat_map(|customer| &customer.fields) {
            if places.contains_key(name.as_str()) {
                continue;
            }
            let field = model
                .field(name)
                .ok_or_else(|| Error::NotFound(format!("the field `{name}`")))?;
            places.insert(name.as_str(), self.place(field)?);
        }
        Ok(places)
    }

    fn place(&mut self, field: &Field) -> Result<Place> {
        if field.cardinality == Cardinality::Many {
            let class = Class::of(field.kind);
            self.lists.push((field.identifier.clone(), class));
            return Ok(Place::List(self.lists.len() - 1));
        }
        self.columns.push(Column::of(field)?);
        Ok(Place::Column(self.columns.len() - 1))
    }

    fn row(&self, customer: &NewCustomer, places: &BTreeMap<&str, Place>) -> Result<Row> {
        if customer.external_id.is_empty() {
            return Err(Error::Unusable("a customer needs an `id`".to_owned()));
        }
        let mut row = Row {
            bucket: Bucket::of(&customer.external_id),
            external_id: customer.external_id.clone(),
            cells: vec![Given::Nothing; self.columns.len()],
            lists: vec![None; self.lists.len()],
        };
        for (name, value) in &customer.fields {
            match places.get(name.as_str()) {
                Some(Place::Column(n)) => {
                    row.cells[*n] = Given::Value(single(&self.columns[*n], value.as_ref())?);
                }
                Some(Place::List(n)) => {
                    let (field, class) = &self.lists[*n];
                    row.lists[*n] = Some(several(field, *class, value.as_ref())?);
                }
                None => {}
            }
        }
        Ok(row)
    }

    /// The cells of all columns, each text followed by its folded form.
    pub(super) fn spread(&self, cells: Vec<Cell>) -> impl Iterator<Item = Cell> {
        cells
            .into_iter()
            .zip(&self.columns)
            .flat_map(|(cell, column)| {
                let folded = column.folded.as_ref().map(|_| match &cell {
                    Some(Bind::Text(text)) => Some(Bind::Text(fold(text))),
                    _ => None,
                });
                std::iter::once(cell).chain(folded)
            })
    }

    /// The names of what `spread` gives.
    pub(super) fn spread_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flat_map(Column::names)
    }
}

impl Row {
    fn overlay(&mut self, later: &mut Self) {
        for (mine, its) in self.cells.iter_mut().zip(later.cells.drain(..)) {
            if its != Given::Nothing {
                *mine = its;
            }
        }
        for (mine, its) in self.lists.iter_mut().zip(later.lists.drain(..)) {
            if its.is_some() {
                *mine = its;
            }
        }
    }
}

fn single(column: &Column, value: Option<&FieldValue>) -> Result<Cell> {
    match value {
        None => Ok(None),
        Some(FieldValue::One(value)) => column.class.cell(&column.field, value),
        Some(FieldValue::Many(_)) => Err(Error::Unusable(format!(
            "the field `{}` holds one value: got several",
            column.field
        ))),
    }
}

fn several(field: &str, class: Class, value: Option<&FieldValue>) -> Result<Vec<Bind>> {
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
