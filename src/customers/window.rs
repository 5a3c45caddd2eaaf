//! Owns the window of an import: so many rows that belong together, each customer once, in the
//! store's order.

use crate::domain::ids::Bucket;
use crate::store::NewCustomer;

/// Rows that are held at once. A slice of a sorted window touches few buckets, so that writing it is
/// cheap even in short transactions.
pub const WINDOW_ROWS: usize = 16_384;

/// What the cells of a window may hold, so that wide rows do not fill the memory.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;
/// About what a typed value takes beside its text.
const VALUE_BYTES: usize = 96;

/// Gathers rows until a window is full.
#[derive(Debug, Default)]
pub struct Window {
    rows: Vec<(Bucket, NewCustomer)>,
    bytes: usize,
}

impl Window {
    /// Adds a customer that was read from so many bytes of text.
    pub fn push(&mut self, customer: NewCustomer, text_bytes: usize) {
        self.bytes += text_bytes + customer.fields.len() * VALUE_BYTES;
        self.rows
            .push((Bucket::of(&customer.external_id), customer));
    }

    pub fn is_full(&self) -> bool {
        self.rows.len() >= WINDOW_ROWS || self.bytes >= WINDOW_BYTES
    }

    /// The customers sorted by bucket and id, each as its last row says, and how many earlier rows
    /// that left out.
    pub fn finish(mut self) -> (Vec<NewCustomer>, u64) {
        let before = self.rows.len();
        self.rows.sort_by(|a, b| order(a).cmp(&order(b)));
        // What is kept of equals is the first, so the last row of a customer has to come first.
        self.rows.reverse();
        self.rows.dedup_by(|a, b| order(a) == order(b));
        self.rows.reverse();
        let left_out = before - self.rows.len();
        let customers = self.rows.into_iter().map(|(_, customer)| customer);
        (customers.collect(), left_out as u64)
    }
}

fn order(row: &(Bucket, NewCustomer)) -> (Bucket, &str) {
    (row.0, &row.1.external_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::FieldValue;
    use crate::domain::value::Value;

    fn row(id: &str, city: &str) -> NewCustomer {
        let city = FieldValue::One(Value::Text(city.to_owned()));
        NewCustomer {
            external_id: id.to_owned(),
            fields: vec![("city".to_owned(), Some(city))],
        }
    }

    #[test]
    fn wide_rows_fill_a_window_sooner() {
        let mut window = Window::default();
        let mut rows = 0;
        while !window.is_full() {
            window.push(row("a", "Lyon"), 1024 * 1024);
            rows += 1;
        }
        assert_eq!(rows, 16);
    }

    #[test]
    fn of_several_rows_for_one_customer_the_last_one_counts() {
        let mut window = Window::default();
        for (id, city) in [("a", "Lyon"), ("b", "Rome"), ("a", "Oslo"), ("a", "Bern")] {
            window.push(row(id, city), city.len());
        }
        let (customers, left_out) = window.finish();
        assert_eq!(left_out, 2);
        let bern = customers.iter().find(|c| c.external_id == "a").unwrap();
        assert_eq!(bern.fields, row("a", "Bern").fields);
        let buckets: Vec<Bucket> = customers
            .iter()
            .map(|c| Bucket::of(&c.external_id))
            .collect();
        assert!(buckets.is_sorted());
    }
}
