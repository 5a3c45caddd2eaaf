//! Owns the window of an import: so many rows that belong together are written together.

use super::error::Error;
use super::leading::Leading;
use super::rows::TypedRow;
use super::table_row::Row;
use crate::domain::import::RejectedRow;
use crate::store::{Draft, MatchKey, Result, Sheet};

/// Rows that are held at once. The store keeps its customers by buckets, of which every window touches
/// nearly all: the more rows in a window, the fewer times each page is written.
const MOST_ROWS: usize = 131_072;
/// Rows of the first window: it is small, so that the writing begins soon, and each next one is twice
/// as large.
const FIRST_ROWS: usize = 16_384;
/// What a window may take, so that wide rows do not fill the memory; two are held at once.
const WINDOW_BYTES: usize = 22 * 1024 * 1024;

/// Stands for the unique id of a row that has to find its customer first.
const UNKNOWN_ID: &str = "-";

/// Gathers rows until a window is full.
#[derive(Debug)]
pub struct Window {
    draft: Draft,
    most: usize,
    /// So many rows of the file belong to it, whatever becomes of them; unless that is to be seen.
    exactly: Option<u64>,
    /// Rows of the file so far.
    read: u64,
    keyed: Vec<KeyedRow>,
    rejects: Vec<RejectedRow>,
    /// What the rows take that stand beside the draft.
    bytes_beside: usize,
}

/// A row that has to find its customer.
#[derive(Debug)]
pub struct KeyedRow {
    pub key: MatchKey,
    /// The unique id of the customer that it makes when it finds none.
    pub own_id: Option<String>,
    /// As it stood in the file.
    pub row: Row,
}

/// What a window gathered.
#[derive(Debug)]
pub enum Gathered {
    /// In the store's order, each as its last row says; how many earlier rows that left out.
    Sorted(Sheet, u64),
    /// In the order of the file.
    Keyed(Draft, Vec<KeyedRow>),
}

impl Window {
    /// The window after so many others of a file.
    pub fn new(mut draft: Draft, before: u32) -> Self {
        draft.reserve(MOST_ROWS, WINDOW_BYTES);
        let most = FIRST_ROWS.saturating_mul(1 << before.min(8));
        Self {
            draft,
            most: most.min(MOST_ROWS),
            exactly: None,
            read: 0,
            keyed: Vec::new(),
            rejects: Vec::new(),
            bytes_beside: 0,
        }
    }

    /// The window of just so many rows of the file.
    #[must_use]
    pub fn of(self, rows: Option<u64>) -> Self {
        let exactly = rows;
        Self { exactly, ..self }
    }

    /// Counts a row of the file.
    pub fn count(&mut self) {
        self.read += 1;
    }

    /// Rows of the file so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Holds a row that is not taken.
    pub fn reject(&mut self, row: RejectedRow) {
        let cells: usize = row
            .cells
            .iter()
            .map(|cell| cell.len() + size_of::<String>())
            .sum();
        self.bytes_beside += cells + row.reason.len() + size_of::<RejectedRow>();
        self.rejects.push(row);
    }

    pub fn rejects(&mut self) -> Vec<RejectedRow> {
        std::mem::take(&mut self.rejects)
    }

    /// Adds a row that has to find its customer.
    pub fn push_keyed(&mut self, typed: &TypedRow, key: &MatchKey, row: &Row) -> Result<()> {
        let values = typed
            .values
            .iter()
            .map(|(place, value)| (*place, value.as_ref()));
        self.draft.push(UNKNOWN_ID, values)?;
        self.bytes_beside += row.bytes() + size_of::<KeyedRow>() + 2 * key.as_str().len();
        let own_id = Some(typed.external_id.clone()).filter(|id| !id.is_empty());
        self.keyed.push(KeyedRow {
            key: key.clone(),
            own_id,
            row: row.kept(),
        });
        Ok(())
    }

    pub fn push(&mut self, row: &TypedRow) -> Result<()> {
        let values = row
            .values
            .iter()
            .map(|(place, value)| (*place, value.as_ref()));
        self.draft.push(&row.external_id, values)
    }

    /// Puts rows under the ids that theirs lead to. Blocks.
    pub(super) fn lead(&mut self, leading: &Leading) -> std::result::Result<(), Error> {
        if self.keyed.is_empty() {
            leading.follow(&mut self.draft)?;
        }
        Ok(())
    }

    pub fn is_full(&self) -> bool {
        match self.exactly {
            Some(rows) => self.read >= rows,
            None => {
                self.draft.len() >= self.most
                    || self.draft.bytes() >= WINDOW_BYTES
                    || self.bytes_beside >= WINDOW_BYTES
            }
        }
    }

    pub fn finish(self) -> Gathered {
        if self.keyed.is_empty() {
            let (sheet, left_out) = self.draft.sorted();
            return Gathered::Sorted(sheet, left_out);
        }
        Gathered::Keyed(self.draft, self.keyed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::FieldValue;
    use crate::domain::field::built_in_fields;
    use crate::domain::value::Value;

    fn window() -> Window {
        let fields = built_in_fields();
        let city = fields.iter().filter(|field| field.identifier == "city");
        Window::new(Draft::new(city).unwrap(), 9)
    }

    fn row(id: &str, city: &str) -> TypedRow {
        TypedRow {
            external_id: id.to_owned(),
            key: None,
            values: vec![(0, Some(FieldValue::One(Value::Text(city.to_owned()))))],
        }
    }

    #[test]
    fn wide_rows_fill_a_window_sooner() {
        let mut window = window();
        let wide = row("a", &"x".repeat(1024 * 1024));
        let mut rows = 0;
        while !window.is_full() {
            window.push(&wide).unwrap();
            rows += 1;
        }
        assert_eq!(rows, 22);
    }

    #[test]
    fn of_several_rows_for_one_customer_one_is_left() {
        let mut window = window();
        for (id, city) in [("a", "Lyon"), ("b", "Rome"), ("a", "Oslo"), ("a", "Bern")] {
            window.push(&row(id, city)).unwrap();
        }
        let Gathered::Sorted(sheet, left_out) = window.finish() else {
            panic!("no row has to find its customer");
        };
        assert_eq!((sheet.len(), left_out), (2, 2));
    }
}
