//! Owns the window of an import: so many rows that belong together are written together.

use super::rows::TypedRow;
use crate::store::{Draft, Result, Sheet};

/// Rows that are held at once. The store keeps its customers by buckets, of which every window touches
/// nearly all: the more rows in a window, the fewer times each page is written.
const MOST_ROWS: usize = 131_072;
/// Rows of the first window: it is small, so that the writing begins soon, and each next one is twice
/// as large.
const FIRST_ROWS: usize = 16_384;
/// What a window may take, so that wide rows do not fill the memory; two are held at once.
const WINDOW_BYTES: usize = 22 * 1024 * 1024;

/// Gathers rows until a window is full.
#[derive(Debug)]
pub struct Window {
    draft: Draft,
    most: usize,
}

impl Window {
    /// The window after so many others of a file.
    pub fn new(mut draft: Draft, before: u32) -> Self {
        draft.reserve(MOST_ROWS, WINDOW_BYTES);
        let most = FIRST_ROWS.saturating_mul(1 << before.min(8));
        Self {
            draft,
            most: most.min(MOST_ROWS),
        }
    }

    pub fn push(&mut self, row: &TypedRow) -> Result<()> {
        let values = row
            .values
            .iter()
            .map(|(place, value)| (*place, value.as_ref()));
        self.draft.push(&row.external_id, values)
    }

    pub fn is_full(&self) -> bool {
        self.draft.len() >= self.most || self.draft.bytes() >= WINDOW_BYTES
    }

    /// The customers in the store's order, each as its last row says, and how many earlier rows that
    /// left out.
    pub fn finish(self) -> (Sheet, u64) {
        self.draft.sorted()
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
        let (sheet, left_out) = window.finish();
        assert_eq!((sheet.len(), left_out), (2, 2));
    }
}
