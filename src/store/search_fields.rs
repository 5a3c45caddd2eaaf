//! Owns which fields a search looks through, and reading the text of customers that is made of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::bind::Cell;
use super::customer_columns::{Class, Column, one_valued};
use super::dialect::ids;
use super::error::Result;
use super::listing::{json, listed};
use super::revisions::Published;
use super::sql::query;
use super::tx::On;
use crate::domain::field::{Cardinality, Field};
use crate::domain::revision::NameKind;
use crate::domain::search::searched;

/// In which a short word is looked for, beside the id.
const NAMES: [&str; 2] = ["first_name", "last_name"];
/// The most arguments that a JSON function takes everywhere (PostgreSQL: 100).
const TOGETHER: usize = 90;

/// The fields that a revision has and a search looks through: all but truths, which nobody types.
pub(super) struct SearchedFields {
    /// One-valued fields, and whether each is a name.
    columns: Vec<(Column, bool)>,
    /// The numbers of many-valued ones, and how their values are stored.
    several: BTreeMap<i64, Class>,
    pub(super) hash: String,
}

/// A customer's values as the statement lists them.
#[derive(Deserialize)]
struct Listed {
    id: i64,
    external_id: String,
    /// In the columns' order, in chunks.
    values: Vec<Vec<Cell>>,
    several: Vec<Several>,
}

/// One value of a many-valued field, in the column of its class.
#[derive(Deserialize)]
struct Several {
    field: i64,
    folded: Cell,
    whole: Cell,
    number: Cell,
}

impl SearchedFields {
    pub(super) fn of(published: &Published) -> Result<Self> {
        let model = &published.revision.data_model;
        let is_searched = |class: Class| class != Class::Boolean;
        let column = |column: Column| {
            let is_name = NAMES.contains(&column.field.as_str());
            (column, is_name)
        };
        let columns = one_valued(model)?.into_iter();
        let columns = columns.filter(|column| is_searched(column.class));
        let columns: Vec<(Column, bool)> = columns.map(column).collect();
        let several = model.fields.iter().filter(|field| {
            field.cardinality == Cardinality::Many && is_searched(Class::of(field.kind))
        });
        let several: Vec<&Field> = several.collect();
        let names = columns.iter().map(|(column, _)| read(column).to_owned());
        let names: Vec<String> = names
            .chain(several.iter().map(|field| many(field)))
            .collect();
        let numbered = several.into_iter().filter_map(|field| {
            let number = published.numbers.number(NameKind::Field, &field.identifier);
            number.map(|number| (i64::from(number), Class::of(field.kind)))
        });
        Ok(Self {
            columns,
            several: numbered.collect(),
            hash: format!("{:016x}", xxh3_64(names.join(",").as_bytes())),
        })
    }

    /// The texts of those of the customers who are there, by their numbers; nobody deletes them until
    /// the transaction ends.
    pub(super) async fn texts<'c>(
        &self,
        customers: &[i64],
        on: impl Into<On<'c>>,
    ) -> Result<Vec<(i64, String)>> {
        let asked = query(self.select()).bind(json(customers));
        let rows: Vec<Listed> = listed(asked, on).await?;
        let texts = rows
            .into_iter()
            .map(|row| Ok((row.id, self.text(row)?)))
            .collect::<Result<Vec<_>>>();
        let mut texts = texts?;
        texts.sort_unstable_by_key(|(id, _)| sequence(*id));
        Ok(texts)
    }

    fn text(&self, row: Listed) -> Result<String> {
        let (mut names, mut others) = (vec![row.external_id], Vec::new());
        for ((column, is_name), cell) in self.columns.iter().zip(row.values.into_iter().flatten()) {
            let texts = if *is_name { &mut names } else { &mut others };
            texts.extend(typed(column.class, cell)?);
        }
        for value in row.several {
            let Some(class) = self.several.get(&value.field) else {
                continue;
            };
            let cell = match class {
                Class::Text => value.folded,
                Class::Number => value.number,
                Class::Integer | Class::Boolean | Class::Date | Class::Instant => value.whole,
            };
            others.extend(typed(*class, cell)?);
        }
        let (names, others) = (names.iter(), others.iter());
        Ok(searched(
            names.map(String::as_str),
            others.map(String::as_str),
        ))
    }

    fn select(&self) -> String {
        let columns = || self.columns.iter().map(|(column, _)| column);
        let cell = |column: &Column| match column.class {
            Class::Number => format!("@exact(c.{})", column.name),
            _ => format!("c.{}", read(column)),
        };
        let cells: Vec<String> = columns().map(cell).collect();
        let array = |cells: &[String]| format!("@array({})", cells.join(", "));
        let arrays: Vec<String> = cells.chunks(TOGETHER).map(array).collect();
        let own = ["bucket", "customer_id", "external_id"].into_iter();
        let own = own.chain(columns().map(read));
        let own: Vec<String> = own.map(|name| format!("o.{name}")).collect();
        format!(
            "SELECT @list(@array(c.customer_id, c.external_id, @array({arrays}), {several})) \
             FROM (SELECT {own} FROM {ids} AS k CROSS JOIN customers AS o \
             WHERE o.bucket = k.bucket AND o.customer_id = k.id@there) AS c",
            arrays = arrays.join(", "),
            several = self.select_several(),
            own = own.join(", "),
            ids = ids!(),
        )
    }

    fn select_several(&self) -> String {
        if self.several.is_empty() {
            return "@array()".to_owned();
        }
        let numbers: Vec<String> = self.several.keys().map(i64::to_string).collect();
        format!(
            "@json(SELECT @list(@array(v.field, v.folded, v.whole, @exact(v.number)) \
             ORDER BY v.field, v.position) FROM customer_values AS v \
             WHERE v.bucket = c.bucket AND v.customer_id = c.customer_id \
             AND v.field IN ({}))",
            numbers.join(", ")
        )
    }
}

/// The column that is read: of a text the one that is folded already.
fn read(column: &Column) -> &str {
    column.folded.as_deref().unwrap_or(&column.name)
}

/// A many-valued field, by what its values are.
fn many(field: &Field) -> String {
    Class::of(field.kind).column(&field.identifier)
}

/// What people type to find a value: what is shown of it, a day as `2026-01-31`.
fn typed(class: Class, cell: Cell) -> Result<Option<String>> {
    let value = class.value(class.listed(cell))?;
    Ok(value.map(|value| value.to_string()))
}

/// A customer's number without the bucket.
pub(super) fn sequence(customer: i64) -> i64 {
    customer & ((1 << 48) - 1)
}
