//! Owns what a batch of customers brings beside their columns: many-valued fields and tags.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::customer_columns::Class;
use super::customer_lists::{self, List};
use super::customer_sheet::Sheet;
use super::dialect::ids;
use super::error::Result;
use super::names;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::CustomerId;
use crate::domain::revision::NameKind;
use crate::domain::touched::Touched;

macro_rules! tag {
    ($answer:literal) => {
        concat!(
            "INSERT INTO customer_tags (bucket, customer_id, tag) SELECT k.bucket, k.id, $2 FROM ",
            ids!(),
            " AS k WHERE true ON CONFLICT (bucket, customer_id, tag) DO NOTHING",
            $answer
        )
    };
}
const TAG_NEW: &str = tag!("");
const TAG_KNOWN: &str = tag!(" RETURNING customer_id");

pub(super) const STATEMENTS: &[&str] = &[TAG_NEW, TAG_KNOWN];

/// The numbers of a batch's many-valued fields, with their classes, and of its tags.
pub(super) struct Extras {
    fields: Vec<(i64, Class)>,
    tags: Vec<i64>,
}

impl Extras {
    pub(super) async fn new(tx: &mut Tx, sheet: &Sheet, tags: &[String]) -> Result<Self> {
        let fields = sheet.lists().iter();
        let wanted: Vec<(NameKind, String)> = fields
            .map(|(field, _)| (NameKind::Field, field.clone()))
            .chain(tags.iter().map(|tag| (NameKind::Tag, tag.clone())))
            .collect();
        if wanted.is_empty() {
            let (fields, tags) = (Vec::new(), Vec::new());
            return Ok(Self { fields, tags });
        }
        let numbers = names::ensure(tx, &wanted).await?;
        let number = |kind, name: &str| numbers.number(kind, name).map_or(0, i64::from);
        let fields = sheet.lists().iter();
        Ok(Self {
            fields: fields
                .map(|(field, class)| (number(NameKind::Field, field), *class))
                .collect(),
            tags: tags.iter().map(|tag| number(NameKind::Tag, tag)).collect(),
        })
    }

    /// Writes the lists and tags of new customers and of known ones; returns what that changed of
    /// these.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        sheet: &Sheet,
        new: &[(usize, CustomerId)],
        known: &[(usize, CustomerId)],
    ) -> Result<BTreeMap<CustomerId, Touched>> {
        let lists = new.iter().chain(known);
        let lists: Vec<List> = lists.flat_map(|row| self.lists(sheet, *row)).collect();
        let replaced = customer_lists::replace(tx, lists).await?;
        let mut changed = self.changed(sheet, known, &replaced);
        if self.tags.is_empty() {
            return Ok(changed);
        }
        let (new, known) = (numbers(new), numbers(known));
        for tag in &self.tags {
            query(TAG_NEW)
                .bind(&new)
                .bind(*tag)
                .execute(&mut *tx)
                .await?;
            let tagged: Vec<i64> = query_scalar(TAG_KNOWN)
                .bind(&known)
                .bind(*tag)
                .fetch_all(&mut *tx)
                .await?;
            for customer in tagged {
                *changed.entry(CustomerId(customer)).or_default() |= Touched::TAGS;
            }
        }
        Ok(changed)
    }

    /// Which fields of the known ones were replaced.
    fn changed(
        &self,
        sheet: &Sheet,
        known: &[(usize, CustomerId)],
        replaced: &HashSet<(CustomerId, i64)>,
    ) -> BTreeMap<CustomerId, Touched> {
        let mut changed: BTreeMap<CustomerId, Touched> = BTreeMap::new();
        for (_, id) in known {
            for ((name, _), (field, _)) in sheet.lists().iter().zip(&self.fields) {
                if replaced.contains(&(*id, *field)) {
                    *changed.entry(*id).or_default() |= Touched::field(name);
                }
            }
        }
        changed
    }

    fn lists(&self, sheet: &Sheet, (row, customer): (usize, CustomerId)) -> Vec<List> {
        let given = sheet.listed(row).iter().zip(&self.fields);
        let list = |(values, (field, class)): (&Option<Vec<_>>, &(i64, Class))| {
            values.as_ref().map(|values| List {
                customer,
                field: *field,
                class: *class,
                values: values.clone(),
            })
        };
        given.filter_map(list).collect()
    }
}

/// The JSON array that `ids!()` unrolls.
fn numbers(rows: &[(usize, CustomerId)]) -> String {
    let ids: Vec<i64> = rows.iter().map(|(_, id)| id.0).collect();
    json!(ids).to_string()
}
