//! Owns looking at a file before it is imported: what it is, which column would fill which field, and
//! what becomes of the first rows.

use serde::Serialize;

use super::error::Error;
use super::mapping::{Mapping, Target, name_of};
use super::reading::Input;
use super::rows::RowTyping;
use super::table::{BETWEEN_LISTED, Row, Table};
use crate::domain::revision::Revision;

/// How much of a cell is shown.
const SHOWN_CHARS: usize = 200;

/// A file as it would be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// `csv`, `xlsx` or `jsonl`.
    pub kind: &'static str,
    /// What stands between the cells of a CSV file.
    pub delimiter: Option<String>,
    pub encoding: &'static str,
    /// The sheet of a workbook that is read, and all there are.
    pub sheet: Option<String>,
    pub sheets: Vec<String>,
    pub columns: Vec<ColumnPreview>,
    pub rows: Vec<RowPreview>,
    /// Why the file cannot be imported as it is.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ColumnPreview {
    pub name: String,
    /// The field it would fill, or `id`; none when it is passed over.
    pub field: Option<String>,
    /// Different values of the rows that are shown.
    pub samples: Vec<String>,
    /// How many of its cells that are shown would be refused.
    pub refused: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RowPreview {
    /// The line in the file, or the row in the sheet.
    pub line: u64,
    /// Why the row would be rejected whatever its cells mean.
    pub problem: Option<String>,
    /// In the columns' order; empty when the row cannot be read.
    pub cells: Vec<CellPreview>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CellPreview {
    pub text: String,
    /// What would be stored, empty where it clears the field; none when the column fills no field,
    /// the row says nothing of it, or the value would be refused.
    pub value: Option<String>,
    /// Why the value would be refused.
    pub problem: Option<String>,
}

impl RowPreview {
    pub fn is_refused(&self) -> bool {
        self.problem.is_some() || self.cells.iter().any(|cell| cell.problem.is_some())
    }
}

/// Reads the first rows of a file of customers. Blocks; nothing is written, not even rejected rows.
pub fn preview(input: &Input, revision: &Revision, rows: usize) -> Result<Preview, Error> {
    let mut table = Table::open(&input.path, &input.table)?;
    let model = &revision.data_model;
    let (mapping, problem) = Mapping::proposed(table.columns(), &input.map, model, input.key());
    let key = input.key().and_then(|key| model.field(key));
    let typing = RowTyping::new(&mapping, revision, table.between_values()).keyed_by(key);
    let (rows, broken) = first_rows(&mut table, &typing, rows);
    let fields = mapping.targets.iter().map(|target| match target {
        Target::Ignored => None,
        target => Some(name_of(*target, model)),
    });
    let columns = table.columns().iter().zip(fields).enumerate();
    let columns = columns.map(|(place, (name, field))| ColumnPreview {
        name: name.clone(),
        field,
        samples: samples(&rows, place),
        refused: cells(&rows, place)
            .filter(|cell| cell.problem.is_some())
            .count(),
    });
    Ok(Preview {
        kind: table.kind().as_str(),
        delimiter: table.delimiter().map(|delimiter| delimiter.to_string()),
        encoding: table.encoding(),
        sheet: table.sheet().map(str::to_owned),
        sheets: table.sheets().to_vec(),
        columns: columns.collect(),
        rows,
        problem: problem.map(|problem| problem.to_string()).or(broken),
    })
}

/// The first rows, and what ended the reading before.
fn first_rows(
    table: &mut Table,
    typing: &RowTyping,
    most: usize,
) -> (Vec<RowPreview>, Option<String>) {
    let mut row = Row::default();
    let mut rows = Vec::new();
    while rows.len() < most {
        match table.read(&mut row) {
            Ok(true) => rows.push(look(typing, &row)),
            Ok(false) => break,
            Err(error) => return (rows, Some(error.to_string())),
        }
    }
    (rows, None)
}

fn look(typing: &RowTyping, row: &Row) -> RowPreview {
    let problem = typing.check(row).err();
    let cells = row.cells().enumerate().map(|(place, cell)| {
        let (value, problem) = match typing.look(row, place, cell) {
            None => (None, None),
            Some(Ok(value)) => (Some(short(&value)), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        CellPreview {
            text: short(&cell.replace(BETWEEN_LISTED, "; ")),
            value,
            problem,
        }
    });
    RowPreview {
        line: row.line,
        cells: match problem {
            None => cells.collect(),
            Some(_) => Vec::new(),
        },
        problem,
    }
}

fn cells(rows: &[RowPreview], place: usize) -> impl Iterator<Item = &CellPreview> {
    rows.iter().filter_map(move |row| row.cells.get(place))
}

fn samples(rows: &[RowPreview], place: usize) -> Vec<String> {
    let mut samples: Vec<String> = Vec::new();
    for cell in cells(rows, place) {
        if samples.len() < 3 && !cell.text.is_empty() && !samples.contains(&cell.text) {
            samples.push(cell.text.clone());
        }
    }
    samples
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
