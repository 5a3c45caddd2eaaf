//! Owns how one row of a table becomes typed values to store, or a reason why not.

use super::delimiter::Delimiter;
use super::mapping::{Mapping, Target};
use super::table::{MAX_CELL_BYTES, Row};
use super::typing::{Typing, read_id};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Field, ID};
use crate::domain::revision::Revision;

/// Types the rows of one table.
#[derive(Debug)]
pub struct RowTyping {
    columns: Vec<Column>,
    typing: Typing,
    between_values: char,
}

/// One row typed; used again and again.
#[derive(Debug, Default)]
pub struct TypedRow {
    pub external_id: String,
    /// One for each column that fills a field, in their order; none clears it.
    pub values: Vec<Option<FieldValue>>,
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

    pub fn new(mapping: &Mapping, revision: &Revision, delimiter: Delimiter) -> Self {
        let fields = &revision.data_model.fields;
        let column = |target: &Target| match target {
            Target::Id => Column::Id,
            Target::Field(place) => Column::Field(Box::new(fields[*place].clone())),
            Target::Ignored => Column::Ignored,
        };
        Self {
            columns: mapping.targets.iter().map(column).collect(),
            typing: Typing::new(revision),
            between_values: delimiter.between_values(),
        }
    }

    /// Reads a row. An empty cell clears its field. The error names every bad column of the row.
    pub fn read(&self, row: &Row, typed: &mut TypedRow) -> Result<(), String> {
        if row.is_damaged {
            return Err("the row holds bytes that are not UTF-8 text".to_owned());
        }
        if row.len() != self.columns.len() {
            let (cells, columns) = (row.len(), self.columns.len());
            return Err(format!(
                "the row has {cells} cells, and the header {columns} columns"
            ));
        }
        typed.values.clear();
        let mut problems = Vec::new();
        for (column, cell) in self.columns.iter().zip(row.cells()) {
            if let Err(problem) = self.read_cell(column, cell, typed) {
                problems.push(problem);
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("; "))
        }
    }

    fn read_cell(&self, column: &Column, cell: &str, typed: &mut TypedRow) -> Result<(), String> {
        match column {
            Column::Ignored => Ok(()),
            Column::Id => {
                let id = read_id(cell).map_err(|reason| format!("`{ID}`: {reason}"))?;
                id.clone_into(&mut typed.external_id);
                Ok(())
            }
            Column::Field(field) => {
                let value = self.read_field(field, cell);
                let value = value.map_err(|reason| format!("`{}`: {reason}", field.identifier))?;
                typed.values.push(value);
                Ok(())
            }
        }
    }

    fn read_field(&self, field: &Field, cell: &str) -> Result<Option<FieldValue>, String> {
        if cell.len() > MAX_CELL_BYTES {
            return Err(format!("holds more than {} KiB", MAX_CELL_BYTES / 1024));
        }
        self.typing.read(field, cell, self.between_values)
    }
}
