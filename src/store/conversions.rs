//! Owns the conversion of stored values when the type or the cardinality of a field changes, page by page.
//!
//! Values go from one place to another: the column of the old type to that of the new one, or to rows of
//! `customer_values` and back. What stood in the old place stays there, so that a revision which is in
//! force meanwhile goes on reading it, and a type that is changed back finds its values again.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::customer_columns::Class;
use super::customer_edits::keep;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::customers::plain;
use super::db::Store;
use super::dialect::{ids, listed};
use super::error::Result;
use super::list_conversions;
use super::listing::{json, listed};
use super::names;
use super::returning;
use super::segment_frame::Frame;
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::conversion::Conversion;
use crate::domain::customer::{Customer, FieldValue};
use crate::domain::field::{Cardinality, DataModel, Field};
use crate::domain::ids::CustomerId;
use crate::domain::revision::{NameKind, Numbers, Revision};
use crate::domain::segment::{Condition, ManyTest, Test};

const WHEN: &str = concat!(
    listed!("c.customer_id, c.updated_at, c.created_at"),
    ids!(),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id = k.id"
);

pub(super) const STATEMENTS: &[&str] = &[WHEN];

/// How values are converted.
#[derive(Debug, Clone, Copy)]
pub struct Converting<'a> {
    pub conversion: &'a Conversion,
    /// In which instants are days.
    pub zone: &'a TimeZone,
    /// Since when the field is what it is to be; none: it is not yet.
    pub since: Option<Timestamp>,
    /// Whether values that do not convert are removed where the new ones stand, too.
    pub drops: bool,
    pub by: &'a By,
    pub at: Timestamp,
}

impl Converting<'_> {
    /// Whether the values stay in the column where they are. Then nothing is done before the change is
    /// in force.
    fn is_in_place(&self) -> bool {
        Class::of(self.conversion.from.kind) == Class::of(self.conversion.to.kind)
    }
}

impl Store {
    /// Makes room for the values of fields that are not in force yet.
    pub async fn make_room(&self, model: &DataModel) -> Result<()> {
        let mut tx = self.write().await?;
        super::customer_columns::add(&mut tx, model).await?;
        tx.commit().await
    }

    /// The next customers, by number, who have a value of the field.
    pub async fn holders_of(
        &self,
        field: &Field,
        numbers: &Numbers,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let revision = Revision {
            data_model: only(field),
            ..Revision::default()
        };
        let name = field.identifier.clone();
        let condition = match field.cardinality {
            Cardinality::One => Condition::Field {
                field: name,
                test: Test::Exists,
            },
            Cardinality::Many => Condition::Many {
                field: name,
                test: ManyTest::Exists,
            },
        };
        let frame = Frame {
            revision: &revision,
            numbers,
            now: Timestamp::UNIX_EPOCH,
        };
        self.customers_meeting_after(&condition, &frame, after, limit)
            .await
    }

    /// Converts the values of these customers, in one transaction; how many customers were changed.
    pub async fn convert(&self, customers: &[CustomerId], how: &Converting<'_>) -> Result<u64> {
        let Conversion { from, to } = how.conversion;
        let is_list = |field: &Field| field.cardinality == Cardinality::Many;
        let mut tx = self.begin().await?;
        let names = keep(&mut tx, customers.iter().copied()).await?;
        let there: Vec<CustomerId> = names.keys().copied().collect();
        let changed = if is_list(from) && is_list(to) {
            let wanted = [(NameKind::Field, to.identifier.clone())];
            let numbers = names::ensure(&mut tx, &wanted).await?;
            let number = numbers.number(NameKind::Field, &to.identifier);
            let number = number.map_or(0, i64::from);
            list_conversions::convert(
                &mut tx,
                &there,
                number,
                how.conversion,
                (how.zone, how.since, how.drops),
            )
            .await?
        } else if how.since.is_none() && !is_list(from) && !is_list(to) && how.is_in_place() {
            0
        } else {
            let rows = wanted(&mut tx, &there, how).await?;
            let row = |(id, value): (CustomerId, Option<FieldValue>)| {
                let external_id = names.get(&id)?.clone();
                let fields = vec![(to.identifier.clone(), value)];
                Some(NewCustomer {
                    external_id,
                    fields,
                })
            };
            write(
                &mut tx,
                &rows.into_iter().filter_map(row).collect::<Vec<_>>(),
                how,
            )
            .await?
        };
        tx.commit().await?;
        Ok(changed)
    }
}

/// A data model with this field alone.
fn only(field: &Field) -> DataModel {
    DataModel {
        fields: vec![field.clone()],
        ..DataModel::default()
    }
}

/// Who gets which value; the others keep what they have.
async fn wanted(
    tx: &mut Tx,
    customers: &[CustomerId],
    how: &Converting<'_>,
) -> Result<Vec<(CustomerId, Option<FieldValue>)>> {
    let Conversion { from, to } = how.conversion;
    let name = to.identifier.as_str();
    let own = |mut customer: Customer| Some((customer.id, customer.fields.remove(name)?));
    let was = plain(customers, &only(from), &mut *tx).await?;
    let is = plain(customers, &only(to), &mut *tx).await?;
    let is: HashMap<CustomerId, FieldValue> = is.into_iter().filter_map(own).collect();
    let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let when: Vec<(i64, i64, i64)> = listed(query(WHEN).bind(json(&numbers)), tx).await?;
    let when: HashMap<i64, (i64, i64)> = when.into_iter().map(|(id, u, c)| (id, (u, c))).collect();
    let wanted = was.into_iter().filter_map(own).filter_map(|(id, was)| {
        let (updated, created) = when.get(&id.0)?;
        match how.decide(&was, is.get(&id), (*updated, *created)) {
            Decided::Stays => None,
            Decided::Becomes(value) => Some((id, value)),
        }
    });
    Ok(wanted.collect())
}

/// What becomes of what stands in the new place.
enum Decided {
    Stays,
    Becomes(Option<FieldValue>),
}

impl Converting<'_> {
    /// What a customer is to have. `is`: what stands in the new place, from
    /// an earlier conversion, from the time when the field was like this before, or given since then.
    fn decide(
        &self,
        was: &FieldValue,
        is: Option<&FieldValue>,
        (updated, created): (i64, i64),
    ) -> Decided {
        let converted = self.conversion.convert(was, self.zone).value;
        let Conversion { from, to } = self.conversion;
        if from.cardinality == to.cardinality && self.is_in_place() {
            return match converted {
                Some(value) if value != *was => Decided::Becomes(Some(value)),
                None if self.drops => Decided::Becomes(None),
                _ => Decided::Stays,
            };
        }
        if converted.as_ref() == is {
            return Decided::Stays;
        }
        let back = |is| self.conversion.reversed().convert(is, self.zone).value;
        if is.and_then(back).as_ref() == Some(was) {
            return Decided::Stays;
        }
        let is_given_since = self.since.is_some_and(|since| {
            let since = since.as_microsecond();
            updated > since && created <= since
        });
        if is_given_since {
            return Decided::Stays;
        }
        Decided::Becomes(converted)
    }
}

async fn write(tx: &mut Tx, rows: &[NewCustomer], how: &Converting<'_>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let model = only(&how.conversion.to);
    let upsert = Upsert {
        model: &model,
        tags: &[],
        consents: &[],
        by: how.by,
        at: how.at,
    };
    let sheet = Sheet::of(rows, &model)?;
    let unknown = returning::Known::default();
    let (_, changed) = customer_upsert::apply(tx, &sheet, sheet.rows(), &upsert, unknown).await?;
    Ok(changed.len() as u64)
}
