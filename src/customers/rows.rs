//! Owns how one row of a table becomes typed values to store, or a reason why not.

use super::mapping::{Mapping, Target};
use super::table::{BETWEEN_LISTED, MAX_CELL_BYTES, Row};
use super::typing::{Typing, read_id};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, Field, ID};
use crate::domain::revision::Revision;
use crate::store::MatchKey;

/// Types the rows of one table.
#[derive(Debug)]
pub struct RowTyping {
    columns: Vec<Column>,
    typing: Typing,
    between_values: char,
    /// By what rows find their customers, unless by the unique id: the field, and its place among those
    /// that columns fill.
    key: Option<(usize, Box<Field>)>,
}

/// One row typed; used again and again.
#[derive(Debug, Default)]
pub struct TypedRow {
    /// Blank where a row has none and needs none.
    pub external_id: String,
    /// By what it finds its customer, unless by the unique id.
    pub key: Option<MatchKey>,
    /// By the place of the field among those that columns fill; none clears it, and one of which the
    /// row says nothing is not there.
    pub values: Vec<(usize, Option<FieldValue>)>,
}

#[derive(Debug)]
enum Column {
    Id,
    Field(Box<Field>),
    Ignored,
}

impl RowTyping {
    /// The fields that columns fill, in the columns' order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.columns.iter().filter_map(|column| match column {
            Column::Field(field) => Some(&**field),
            Column::Id | Column::Ignored => None,
        })
    }

    pub fn new(mapping: &Mapping, revision: &Revision, between_values: char) -> Self {
        let fields = &revision.data_model.fields;
        let column = |target: &Target| match target {
            Target::Id => Column::Id,
            Target::Field(place) => Column::Field(Box::new(fields[*place].clone())),
            Target::Ignored => Column::Ignored,
        };
        Self {
            columns: mapping.targets.iter().map(column).collect(),
            typing: Typing::new(revision),
            between_values,
            key: None,
        }
    }

    /// Lets rows find their customers by this field, which a column fills; none: by the unique id.
    #[must_use]
    pub fn keyed_by(mut self, field: Option<&Field>) -> Self {
        let place = |field: &Field| {
            let mut fields = self.fields();
            fields.position(|filled| filled.identifier == field.identifier)
        };
        self.key = field.and_then(|field| Some((place(field)?, Box::new(field.clone()))));
        self
    }

    pub fn key(&self) -> Option<&Field> {
        self.key.as_ref().map(|(_, field)| &**field)
    }

    /// Reads a row. An empty cell clears its field. The error names every bad column of the row.
    pub fn read(&self, row: &Row, typed: &mut TypedRow) -> Result<(), String> {
        self.check(row)?;
        typed.values.clear();
        let mut problems = Vec::new();
        let mut id = self.no_id();
        let mut field = 0;
        for (place, (column, cell)) in self.columns.iter().zip(row.cells()).enumerate() {
            match column {
                Column::Ignored => {}
                Column::Id if self.key.is_some() && cell.trim().is_empty() => {}
                Column::Id => id = self.read_id(row, place, cell),
                Column::Field(_) if row.absent.contains(&place) => field += 1,
                Column::Field(known) => {
                    match self.read_field(known, row, place, cell) {
                        Ok(value) => typed.values.push((field, value)),
                        Err(reason) => problems.push(format!("`{}`: {reason}", known.identifier)),
                    }
                    field += 1;
                }
            }
        }
        match id {
            Ok(id) => id.clone_into(&mut typed.external_id),
            Err(reason) => problems.insert(0, format!("`{ID}`: {reason}")),
        }
        if problems.is_empty() {
            self.find_key(typed)
                .map_err(|reason| problems.push(reason))
                .ok();
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("; "))
        }
    }

    fn no_id(&self) -> Result<&'static str, String> {
        if self.key.is_some() {
            Ok("")
        } else {
            Err(no_id())
        }
    }

    /// Notes by what a row finds its customer.
    fn find_key(&self, typed: &mut TypedRow) -> Result<(), String> {
        typed.key = None;
        let Some((place, field)) = &self.key else {
            return Ok(());
        };
        let given = typed.values.iter().find(|(given, _)| given == place);
        if let Some((_, Some(FieldValue::One(value)))) = given {
            let key = MatchKey::of(field, value);
            typed.key = key.map_err(|error| error.to_string())?;
        }
        if typed.key.is_none() {
            let name = &field.identifier;
            return Err(format!(
                "`{name}`: is empty: rows find their customers by it"
            ));
        }
        Ok(())
    }

    /// Why a row cannot be read at all, whatever its cells mean.
    pub fn check(&self, row: &Row) -> Result<(), String> {
        if let Some(damage) = &row.damage {
            return Err(damage.clone());
        }
        if row.len() != self.columns.len() {
            let (cells, columns) = (row.len(), self.columns.len());
            return Err(format!(
                "the row has {cells} cells, and the header {columns} columns"
            ));
        }
        Ok(())
    }

    /// What the cell of a column is as a value of its field, or why it is none; nothing for a column
    /// that fills none, or a row that says nothing of it.
    pub fn look(&self, row: &Row, place: usize, cell: &str) -> Option<Result<String, String>> {
        if row.absent.contains(&place) {
            return None;
        }
        match self.columns.get(place)? {
            Column::Ignored => None,
            Column::Id if self.key.is_some() && cell.trim().is_empty() => None,
            Column::Id => Some(self.read_id(row, place, cell).map(str::to_owned)),
            Column::Field(field) => {
                let value = self.read_field(field, row, place, cell);
                Some(value.map(|value| value.as_ref().map(shown).unwrap_or_default()))
            }
        }
    }

    fn read_id<'a>(&self, row: &Row, place: usize, cell: &'a str) -> Result<&'a str, String> {
        if row.absent.contains(&place) {
            return Err(no_id());
        }
        self.refuse_flaw(row, place, cell, false)?;
        read_id(cell)
    }

    fn read_field(
        &self,
        field: &Field,
        row: &Row,
        place: usize,
        cell: &str,
    ) -> Result<Option<FieldValue>, String> {
        if cell.len() > MAX_CELL_BYTES {
            return Err(format!("holds more than {} KiB", MAX_CELL_BYTES / 1024));
        }
        self.refuse_flaw(row, place, cell, field.cardinality == Cardinality::Many)?;
        self.typing.read(field, cell, self.between_values)
    }

    fn refuse_flaw(&self, row: &Row, place: usize, cell: &str, many: bool) -> Result<(), String> {
        let flaw = row.flaws.iter().find(|(flawed, _)| *flawed == place);
        if let Some((_, flaw)) = flaw {
            return Err(flaw.clone());
        }
        if !many && self.between_values == BETWEEN_LISTED && cell.contains(BETWEEN_LISTED) {
            return Err("holds a list: expected one value".to_owned());
        }
        Ok(())
    }
}

fn no_id() -> String {
    "is empty: every customer needs a unique id".to_owned()
}

/// A value as it is shown.
fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::One(value) => value.to_string(),
        FieldValue::Many(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            values.join("; ")
        }
    }
}
