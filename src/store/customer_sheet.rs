//! Owns what a batch of customers says, typed and sorted as the store keeps them, before anything is
//! compared.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::bind::{Bind, Cell};
use super::customer_columns::{Class, Column};
use super::customer_draft::{Draft, Folding, Given, Span};
use super::error::{Error, Result};
use super::seal::{Digest, Seal};
use crate::domain::customer::FieldValue;
use crate::domain::field::DataModel;
use crate::domain::identifier::Identifier;
use crate::domain::ids::{BUCKETS, Bucket};

/// One customer as a file or a person gives it. A field that is not named stays as it is; none clears.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    pub external_id: String,
    pub fields: Vec<(String, Option<FieldValue>)>,
}

/// A batch in the store's order, each customer once.
#[derive(Debug)]
pub struct Sheet(Draft, OnceLock<Vec<Digests>>);

/// The hashes of what identifies a row's customer, one for each kind of identifier.
pub(super) type Digests = [Option<Digest>; Identifier::ALL.len()];

impl Draft {
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
        (Sheet(self, OnceLock::new()), taken_away as u64)
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
        draft.clear();
        draft
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.0.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// The rows of buckets from this one on, about as many as wanted, and the first bucket after them.
    pub fn slice(&self, bucket: u16, most: usize) -> (Range<usize>, u16) {
        let rows = &self.0.rows;
        let start = rows.partition_point(|row| row.bucket.0 < bucket);
        let last = start.saturating_add(most).saturating_sub(1);
        let end = match rows.get(last) {
            Some(last) => rows.partition_point(|row| row.bucket <= last.bucket),
            None => rows.len(),
        };
        let next = rows.get(end).map_or(BUCKETS, |row| row.bucket.0);
        (start..end, next)
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

    /// The hashes of every row's identifiers, made when they are first asked for: whoever reads a file
    /// makes them beside the writing.
    pub fn prepare(&self, seal: &Seal) {
        self.sealed(seal);
    }

    pub(super) fn sealed(&self, seal: &Seal) -> &[Digests] {
        self.1.get_or_init(|| {
            let places = Identifier::ALL.map(|identifier| self.place_of(identifier.field()));
            let digests = |row: usize| {
                let mut digests = Digests::default();
                for ((identifier, place), digest) in
                    Identifier::ALL.into_iter().zip(places).zip(&mut digests)
                {
                    let text = self.identifying(row, identifier, place);
                    *digest = text.and_then(|text| seal.digest(identifier, text));
                }
                digests
            };
            self.rows().map(digests).collect()
        })
    }

    fn place_of(&self, field: Option<&str>) -> Option<usize> {
        let field = field?;
        self.columns()
            .iter()
            .position(|column| column.field == field)
    }

    fn identifying(
        &self,
        row: usize,
        identifier: Identifier,
        place: Option<usize>,
    ) -> Option<&str> {
        match (identifier, place.map(|place| self.given(row)[place])) {
            (Identifier::Id, _) => Some(self.external_id(row)),
            (_, Some(Given::Text(span))) => Some(self.text(span)),
            _ => None,
        }
    }

    /// Whether a row says something new of what identifies its customer, beside these cells.
    pub(super) fn moves(&self, row: usize, cells: &[Cell]) -> bool {
        let fields = Identifier::ALL.into_iter().filter_map(Identifier::field);
        let mut places = fields.filter_map(|field| self.place_of(Some(field)));
        places.any(|place| !self.leaves(self.given(row)[place], &cells[place]))
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
