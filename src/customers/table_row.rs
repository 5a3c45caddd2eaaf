//! Owns one row of a table as it was read, and how large one may be.

use csv::StringRecord;

use super::formula;

pub const MAX_COLUMNS: usize = 2_000;
pub const MAX_CELL_BYTES: usize = 64 * 1024;
/// What one row may make the reader hold.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;
/// Stands between the values of one cell where a file has lists: no value can hold it.
pub const BETWEEN_LISTED: char = '\u{1f}';

/// One row; used again and again so that reading does not allocate.
#[derive(Debug, Default)]
pub struct Row {
    pub(super) cells: StringRecord,
    /// The line in the file on which it begins, or its row in a sheet; counted from 1.
    pub line: u64,
    /// Why nothing of it can be believed.
    pub damage: Option<String>,
    /// The columns whose cell holds no value, though it is not empty, and why.
    pub flaws: Vec<(usize, String)>,
    /// The columns of which it says nothing, in their order.
    pub absent: Vec<usize>,
    /// Whether its texts are kept from being formulas.
    pub(super) is_guarded: bool,
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.damage = None;
        self.flaws.clear();
        self.absent.clear();
    }

    /// The same row, for longer.
    pub(super) fn kept(&self) -> Self {
        Self {
            cells: self.cells.clone(),
            line: self.line,
            damage: self.damage.clone(),
            flaws: self.flaws.clone(),
            absent: self.absent.clone(),
            is_guarded: self.is_guarded,
        }
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The length of all cells together.
    pub fn bytes(&self) -> usize {
        self.cells.as_slice().len()
    }

    /// The cells as they stand in the file, without the carriage return that ends a line in files from
    /// Windows.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.cells
            .iter()
            .map(|cell| cell.strip_suffix('\r').unwrap_or(cell))
    }

    /// The cells as they are meant.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        let is_guarded = self.is_guarded;
        self.written().map(move |cell| {
            if is_guarded {
                formula::unguarded(cell)
            } else {
                cell
            }
        })
    }

    pub(super) fn is_blank(&self) -> bool {
        self.damage.is_none() && self.cells.as_slice().trim().is_empty()
    }
}
