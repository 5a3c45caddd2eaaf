//! Owns the values of many-valued fields: they are replaced as a whole, and only where they differ.

use std::collections::HashMap;

use serde_json::json;

use super::bind::{Bind, Cell};
use super::customer_columns::Class;
use super::dialect::rows;
use super::error::Result;
use super::rows;
use super::sql::{Row, query};
use super::tx::Tx;
use crate::domain::ids::CustomerId;
use crate::domain::value::fold;

const READ: &str = concat!(
    "SELECT v.customer_id, v.field, v.text, v.whole, v.number FROM ",
    rows!(id BIGINT 0, field BIGINT 1),
    " AS j CROSS JOIN customer_values AS v WHERE v.bucket = j.id >> 48 AND v.customer_id = j.id \
     AND v.field = j.field ORDER BY v.customer_id, v.field, v.position"
);
const CLEAR: &str = concat!(
    "DELETE FROM customer_values WHERE (bucket, customer_id, field) IN \
     (SELECT j.id >> 48, j.id, j.field FROM ",
    rows!(id BIGINT 0, field BIGINT 1),
    " AS j)"
);
const COLUMNS: [(&str, &str); 8] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("field", "BIGINT"),
    ("position", "BIGINT"),
    ("text", "TEXT"),
    ("folded", "TEXT"),
    ("whole", "BIGINT"),
    ("number", "DOUBLE PRECISION"),
];

pub(super) const STATEMENTS: &[&str] = &[READ, CLEAR];

/// The values that one field of one customer is to have.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) customer: CustomerId,
    pub(super) field: i64,
    pub(super) class: Class,
    pub(super) values: Vec<Bind>,
}

impl List {
    pub(super) fn key(&self) -> (i64, i64) {
        (self.customer.0, self.field)
    }
}

/// What was stored of a customer's field before.
pub(super) type Replaced = HashMap<(CustomerId, i64), Vec<Bind>>;

/// Writes the lists that differ from what is stored, and says whose those are, of which field, and what
/// was stored.
pub(super) async fn replace(tx: &mut Tx, mut lists: Vec<List>) -> Result<Replaced> {
    if lists.is_empty() {
        return Ok(Replaced::new());
    }
    let mut stored = stored(tx, &lists).await?;
    lists.retain(|list| stored.get(&list.key()).map_or(&[][..], Vec::as_slice) != list.values);
    query(CLEAR).bind(keys(&lists)).execute(&mut *tx).await?;
    let changed = lists
        .iter()
        .map(|list| {
            let was = stored.remove(&list.key()).unwrap_or_default();
            ((list.customer, list.field), was)
        })
        .collect();
    let cells = lists.into_iter().flat_map(cells).collect();
    rows::insert(tx, "customer_values", &COLUMNS, cells).await?;
    Ok(changed)
}

/// What is stored of those fields of those customers, by their numbers.
pub(super) async fn stored(tx: &mut Tx, lists: &[List]) -> Result<HashMap<(i64, i64), Vec<Bind>>> {
    let classes: HashMap<i64, Class> = lists.iter().map(|list| (list.field, list.class)).collect();
    let mut stored: HashMap<(i64, i64), Vec<Bind>> = HashMap::new();
    for row in query(READ).bind(keys(lists)).fetch_all(&mut *tx).await? {
        let key: (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let cell = match classes.get(&key.1) {
            Some(class) => read(*class, &row, 2)?,
            None => None,
        };
        // A value of another type, from before the type changed, differs from every value.
        stored
            .entry(key)
            .or_default()
            .push(cell.unwrap_or_else(|| Bind::Text(String::new())));
    }
    Ok(stored)
}

/// Reads one value; texts, whole and real numbers stand in columns of their own from `first` on.
pub(super) fn read(class: Class, row: &Row, first: usize) -> Result<Cell> {
    let place = match class {
        Class::Text => first,
        Class::Number => first + 2,
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => first + 1,
    };
    class.read(row, place)
}

fn keys(lists: &[List]) -> String {
    json!(lists.iter().map(List::key).collect::<Vec<_>>()).to_string()
}

fn cells(list: List) -> Vec<Vec<Cell>> {
    let (id, field) = list.key();
    let bucket = i64::from(list.customer.bucket().0);
    list.values
        .into_iter()
        .zip(0_i64..)
        .map(|(value, position)| {
            let key = [bucket, id, field, position];
            let mut row: Vec<Cell> = key.into_iter().map(|n| Some(Bind::Int(n))).collect();
            row.extend(match value {
                Bind::Text(text) => {
                    let folded = fold(&text);
                    [Some(Bind::Text(text)), Some(Bind::Text(folded)), None, None]
                }
                Bind::Int(number) => [None, None, Some(Bind::Int(number)), None],
                Bind::Real(number) => [None, None, None, Some(Bind::Real(number))],
            });
            row
        })
        .collect()
}
