//! Owns what a batch of customers brings beside their columns: many-valued fields and tags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::customer_columns::Class;
use super::customer_lists::{self, List, Replaced};
use super::customer_sheet::Sheet;
use super::dialect::ids;
use super::error::Result;
use super::import_before::{Before, Brought, Moved};
use super::list_members::{self, Listing};
use super::names;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Kind;
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

/// The numbers of a batch's many-valued fields, with their classes, of its tags and of its list.
pub(super) struct Extras {
    fields: Vec<(i64, Class)>,
    tags: Vec<i64>,
    brought: Brought,
    at: Timestamp,
}

/// Rows, and the customers they were written to.
type Written<'a> = &'a [(usize, CustomerId)];

/// What became of those who were there.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) touched: BTreeMap<CustomerId, Touched>,
    /// What they were, if anybody wants to know.
    pub(super) before: BTreeMap<CustomerId, Before>,
    /// Who got which of the batch's tags, those who are new as well.
    pub(super) tagged: Vec<(CustomerId, usize)>,
}

impl Extras {
    pub(super) async fn new(
        tx: &mut Tx,
        sheet: &Sheet,
        tags: &[String],
        (brought, at): (Brought, Timestamp),
    ) -> Result<Self> {
        let fields = sheet.lists().iter();
        let wanted: Vec<(NameKind, String)> = fields
            .map(|(field, _)| (NameKind::Field, field.clone()))
            .chain(tags.iter().map(|tag| (NameKind::Tag, tag.clone())))
            .collect();
        if wanted.is_empty() {
            let (fields, tags) = (Vec::new(), Vec::new());
            return Ok(Self {
                fields,
                tags,
                brought,
                at,
            });
        }
        let numbers = names::ensure(tx, &wanted).await?;
        let number = |kind, name: &str| numbers.number(kind, name).map_or(0, i64::from);
        let fields = sheet.lists().iter();
        Ok(Self {
            fields: fields
                .map(|(field, class)| (number(NameKind::Field, field), *class))
                .collect(),
            tags: tags.iter().map(|tag| number(NameKind::Tag, tag)).collect(),
            brought,
            at,
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
    ) -> Result<Changes> {
        let lists = new.iter().chain(known);
        let lists: Vec<List> = lists.flat_map(|row| self.lists(sheet, *row)).collect();
        let replaced = customer_lists::replace(tx, lists).await?;
        let mut changes = self.changed(sheet, known, replaced);
        self.put_on_list(tx, (new, known), &mut changes).await?;
        if self.tags.is_empty() {
            return Ok(changes);
        }
        let made = new.iter().map(|(_, id)| *id);
        let (new, known) = (numbers(new), numbers(known));
        for (place, tag) in self.tags.iter().enumerate() {
            if self.tags[..place].contains(tag) {
                continue;
            }
            changes.tagged.extend(made.clone().map(|id| (id, place)));
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
            for customer in tagged.into_iter().map(CustomerId) {
                changes.tagged.push((customer, place));
                *changes.touched.entry(customer).or_default() |=
                    Touched::TAGS | Touched::kind(Kind::Tagged);
                if self.brought.import.is_some() {
                    let tags = &mut changes.before.entry(customer).or_default().tags;
                    tags.extend(i32::try_from(*tag).ok());
                }
            }
        }
        Ok(changes)
    }

    async fn put_on_list(
        &self,
        tx: &mut Tx,
        (new, known): (Written<'_>, Written<'_>),
        changes: &mut Changes,
    ) -> Result<()> {
        let Some(list) = self.brought.list else {
            return Ok(());
        };
        let listing = Listing {
            list,
            is_put_on: true,
        };
        let ids = |rows: Written<'_>| rows.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        // The new ones are marked with all that they are.
        list_members::put_unmarked(tx, &ids(new), listing, self.at).await?;
        for customer in list_members::put_unmarked(tx, &ids(known), listing, self.at).await? {
            *changes.touched.entry(customer).or_default() |= Touched::LISTS;
            if self.brought.import.is_some() {
                changes
                    .before
                    .entry(customer)
                    .or_default()
                    .lists
                    .push(list.0);
            }
        }
        Ok(())
    }

    /// Which fields of the known ones were replaced.
    fn changed(
        &self,
        sheet: &Sheet,
        known: &[(usize, CustomerId)],
        mut replaced: Replaced,
    ) -> Changes {
        let mut changes = Changes::default();
        for (row, id) in known {
            let fields = sheet.lists().iter().zip(&self.fields);
            for (((name, class), (field, _)), is) in fields.zip(sheet.listed(*row)) {
                let Some(was) = replaced.remove(&(*id, *field)) else {
                    continue;
                };
                *changes.touched.entry(*id).or_default() |= Touched::field(name);
                if self.brought.import.is_some() {
                    let several = &mut changes.before.entry(*id).or_default().several;
                    several.push(Moved {
                        field: name.clone(),
                        column: class.column(name),
                        was,
                        became: is.clone().unwrap_or_default(),
                    });
                }
            }
        }
        changes
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
