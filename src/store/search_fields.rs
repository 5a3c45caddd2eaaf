//! Owns which fields a search looks through, and reading the text of customers that is made of them.

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
/// Moves whenever texts are made in another form, so that everybody's is made anew.
const FORM: u8 = 2;

/// The fields that a revision has, but for those of yes or no.
pub(super) struct SearchedFields {
    columns: Vec<Searched>,
    /// The numbers of many-valued ones.
    several: Vec<(i64, Class)>,
    pub(super) hash: String,
}

/// A one-valued field.
struct Searched {
    /// Of a text, where it is folded.
    column: String,
    class: Class,
    is_name: bool,
}

/// A customer's values as the statement lists them.
#[derive(Deserialize)]
struct Listed {
    id: i64,
    external_id: String,
    /// In the columns' order, in chunks.
    values: Vec<Vec<Cell>>,
    several: Vec<OneOf>,
}

/// One of the values of a field, in the column of its class.
#[derive(Deserialize)]
struct OneOf {
    field: i64,
    folded: Cell,
    whole: Cell,
    number: Cell,
}

impl SearchedFields {
    pub(super) fn of(published: &Published) -> Result<Self> {
        let model = &published.revision.data_model;
        let columns = one_valued(model)?.into_iter().filter_map(Searched::of);
        let columns: Vec<Searched> = columns.collect();
        let of_several = |field: &&Field| {
            let class = Class::of(field.kind);
            field.cardinality == Cardinality::Many && class != Class::Boolean
        };
        let several: Vec<&Field> = model.fields.iter().filter(of_several).collect();
        let names = columns.iter().map(|searched| searched.column.clone());
        let names: Vec<String> = names
            .chain(several.iter().map(|field| {
                let column = Class::of(field.kind).column(&field.identifier);
                format!("{column}*")
            }))
            .collect();
        let number = |field: &&Field| {
            let number = published.numbers.number(NameKind::Field, &field.identifier);
            Some((i64::from(number?), Class::of(field.kind)))
        };
        Ok(Self {
            columns,
            several: several.iter().filter_map(number).collect(),
            hash: format!("{FORM}{:016x}", xxh3_64(names.join(",").as_bytes())),
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
        let text = |row: Listed| Ok((row.id, self.text(row)?));
        let mut texts: Vec<_> = rows.into_iter().map(text).collect::<Result<_>>()?;
        texts.sort_unstable_by_key(|(id, _)| sequence(*id));
        Ok(texts)
    }

    fn text(&self, row: Listed) -> Result<String> {
        let mut names = vec![row.external_id];
        let mut others = Vec::new();
        for (cell, searched) in row.values.into_iter().flatten().zip(&self.columns) {
            let to = if searched.is_name {
                &mut names
            } else {
                &mut others
            };
            to.extend(written(searched.class, cell)?);
        }
        for one in row.several {
            let known = self.several.iter().find(|(field, _)| *field == one.field);
            if let Some((_, class)) = known {
                others.extend(written(*class, one.cell(*class))?);
            }
        }
        Ok(searched(
            names.iter().map(String::as_str),
            others.iter().map(String::as_str),
        ))
    }

    fn select(&self) -> String {
        let array = |columns: &[Searched]| {
            let cells: Vec<String> = columns.iter().map(Searched::cell).collect();
            format!("@array({})", cells.join(", "))
        };
        let arrays: Vec<String> = self.columns.chunks(TOGETHER).map(array).collect();
        let own = ["bucket", "customer_id", "external_id"].into_iter();
        let read = own.chain(self.columns.iter().map(|searched| searched.column.as_str()));
        let read: Vec<String> = read.map(|name| format!("o.{name}")).collect();
        format!(
            "SELECT @list(@array(c.customer_id, c.external_id, @array({arrays}), {several})) \
             FROM (SELECT {read} FROM {ids} AS k CROSS JOIN customers AS o \
             WHERE o.bucket = k.bucket AND o.customer_id = k.id@there) AS c",
            arrays = arrays.join(", "),
            several = self.select_several(),
            read = read.join(", "),
            ids = ids!(),
        )
    }

    fn select_several(&self) -> String {
        if self.several.is_empty() {
            return "@array()".to_owned();
        }
        let numbers = self.several.iter().map(|(number, _)| number.to_string());
        let numbers: Vec<String> = numbers.collect();
        format!(
            "@json(SELECT @list(@array(v.field, v.folded, v.whole, @exact(v.number)) \
             ORDER BY v.field, v.position) FROM customer_values AS v \
             WHERE v.bucket = c.bucket AND v.customer_id = c.customer_id AND v.field IN ({}))",
            numbers.join(", ")
        )
    }
}

impl Searched {
    fn of(column: Column) -> Option<Self> {
        let is_name = NAMES.contains(&column.field.as_str());
        (column.class != Class::Boolean).then(|| Self {
            column: column.folded.unwrap_or(column.name),
            class: column.class,
            is_name,
        })
    }

    fn cell(&self) -> String {
        match self.class {
            Class::Number => format!("@exact(c.{})", self.column),
            _ => format!("c.{}", self.column),
        }
    }
}

impl OneOf {
    fn cell(self, class: Class) -> Cell {
        match class {
            Class::Text => self.folded,
            Class::Number => self.number,
            Class::Integer | Class::Boolean | Class::Date | Class::Instant => self.whole,
        }
    }
}

/// A value as it is shown to people.
fn written(class: Class, cell: Cell) -> Result<Option<String>> {
    let value = class.value(class.listed(cell))?;
    Ok(value.map(|value| value.to_string()))
}

/// A customer's number without the bucket.
pub(super) fn sequence(customer: i64) -> i64 {
    customer & ((1 << 48) - 1)
}
