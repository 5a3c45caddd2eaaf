//! Owns what a batch of customers brings beside their columns: many-valued fields and tags.

use std::collections::BTreeSet;

use serde_json::json;

use super::customer_columns::Class;
use super::customer_lists::{self, List};
use super::customer_sheet::Sheet;
use super::db::Tx;
use super::dialect::ids;
use super::error::Result;
use super::names;
use crate::domain::ids::CustomerId;
use crate::domain::revision::NameKind;

const TAG: &str = concat!(
    "INSERT INTO customer_tags (bucket, customer_id, tag) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id, tag) DO NOTHING RETURNING customer_id"
);

pub(super) const STATEMENTS: &[&str] = &[TAG];

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

    /// Writes the lists and tags of these rows; returns whom that changed.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        sheet: &Sheet,
        rows: &[(usize, CustomerId)],
    ) -> Result<BTreeSet<CustomerId>> {
        let lists = rows.iter().flat_map(|row| self.lists(sheet, *row));
        let lists: Vec<List> = lists.collect();
        let mut changed: BTreeSet<CustomerId> = customer_lists::replace(tx, lists)
            .await?
            .into_iter()
            .collect();
        if self.tags.is_empty() {
            return Ok(changed);
        }
        let everyone: Vec<i64> = rows.iter().map(|(_, id)| id.0).collect();
        let everyone = json!(everyone).to_string();
        for tag in &self.tags {
            let tagged: Vec<i64> = sqlx::query_scalar(TAG)
                .bind(&everyone)
                .bind(tag)
                .fetch_all(&mut **tx)
                .await?;
            changed.extend(tagged.into_iter().map(CustomerId));
        }
        Ok(changed)
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
