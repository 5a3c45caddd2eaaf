//! Owns which fields a search looks through, and reading the text of customers that is made of them.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

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

/// The fields of texts that a revision has.
pub(super) struct SearchedFields {
    /// Folded texts of one-valued fields, and whether each is a name.
    columns: Vec<(String, bool)>,
    /// The numbers of many-valued ones.
    several: Vec<i64>,
    pub(super) hash: String,
}

/// A customer's texts as the statement lists them.
#[derive(Deserialize)]
struct Listed {
    id: i64,
    external_id: String,
    /// In the columns' order, in chunks.
    texts: Vec<Vec<Option<String>>>,
    several: Vec<String>,
}

impl SearchedFields {
    pub(super) fn of(published: &Published) -> Result<Self> {
        let model = &published.revision.data_model;
        let column = |column: Column| {
            let is_name = NAMES.contains(&column.field.as_str());
            column.folded.map(|folded| (folded, is_name))
        };
        let columns = one_valued(model)?.into_iter().filter_map(column).collect();
        let are_texts = |field: &&Field| {
            field.cardinality == Cardinality::Many && Class::of(field.kind) == Class::Text
        };
        let several: Vec<&Field> = model.fields.iter().filter(are_texts).collect();
        let mut fields = Self {
            columns,
            several: Vec::new(),
            hash: String::new(),
        };
        let names = fields.columns.iter().map(|(name, _)| name.as_str());
        let names: Vec<&str> = names
            .chain(several.iter().map(|field| field.identifier.as_str()))
            .collect();
        fields.hash = format!("{:016x}", xxh3_64(names.join(",").as_bytes()));
        let number = |field: &&Field| {
            let number = published.numbers.number(NameKind::Field, &field.identifier);
            number.map(i64::from)
        };
        fields.several = several.iter().filter_map(number).collect();
        Ok(fields)
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
        let mut texts: Vec<_> = rows.iter().map(|row| (row.id, self.text(row))).collect();
        texts.sort_unstable_by_key(|(id, _)| sequence(*id));
        Ok(texts)
    }

    fn text(&self, row: &Listed) -> String {
        let texts = row.texts.iter().flatten().zip(&self.columns);
        let texts: Vec<(&str, bool)> = texts
            .filter_map(|(text, (_, is_name))| Some((text.as_deref()?, *is_name)))
            .collect();
        let of = |names: bool| {
            let texts = texts.iter().filter(move |(_, is_name)| *is_name == names);
            texts.map(|(text, _)| *text)
        };
        let several = row.several.iter().map(String::as_str);
        let id = [row.external_id.as_str()];
        searched(id.into_iter().chain(of(true)), of(false).chain(several))
    }

    fn select(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let of = |alias: &str, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| format!("{alias}.{name}")).collect();
            names.join(", ")
        };
        let array = |names: &[&str]| format!("@array({})", of("c", names));
        let arrays: Vec<String> = names.chunks(TOGETHER).map(array).collect();
        let own = ["bucket", "customer_id", "external_id"];
        let read = [&own, names.as_slice()].concat();
        format!(
            "SELECT @list(@array(c.customer_id, c.external_id, @array({arrays}), {several})) \
             FROM (SELECT {read} FROM {ids} AS k CROSS JOIN customers AS o \
             WHERE o.bucket = k.bucket AND o.customer_id = k.id@there) AS c",
            arrays = arrays.join(", "),
            several = self.select_several(),
            read = of("o", &read),
            ids = ids!(),
        )
    }

    fn select_several(&self) -> String {
        if self.several.is_empty() {
            return "@array()".to_owned();
        }
        let numbers: Vec<String> = self.several.iter().map(i64::to_string).collect();
        format!(
            "@json(SELECT @list(v.folded ORDER BY v.field, v.position) FROM customer_values AS v \
             WHERE v.bucket = c.bucket AND v.customer_id = c.customer_id \
             AND v.field IN ({}) AND v.folded IS NOT NULL)",
            numbers.join(", ")
        )
    }
}

/// A customer's number without the bucket.
pub(super) fn sequence(customer: i64) -> i64 {
    customer & ((1 << 48) - 1)
}
