//! Owns setting fields of single customers, some of them at the same time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::changes;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::db::Store;
use super::dialect::{ids, listed};
use super::error::{Error, Result};
use super::gathering::FieldEdit;
use super::interactions;
use super::listing::{json, listed};
use super::returning;
use super::seen::{self, Seen};
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::customer::FieldValue;
use crate::domain::customer_version::Version;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};

/// Kept until the transaction ends: who is deleted meanwhile would be made anew. Always in the same
/// order, so that nobody waits for another in a circle.
const KEEP: &str = concat!(
    listed!("c.customer_id, c.external_id"),
    "(SELECT o.customer_id, o.external_id FROM ",
    ids!(),
    " AS k CROSS JOIN customers AS o WHERE o.bucket = k.bucket AND o.customer_id = k.id \
     ORDER BY o.bucket, o.customer_id@alone) AS c"
);
pub(super) const STATEMENTS: &[&str] = &[KEEP];

impl Store {
    /// Sets and clears fields of one customer; false, and nothing written, when all is so already. The
    /// mark that it leaves says that the customer is to be looked at again, whatever is looked at now: so it
    /// waits for nobody who works for the bucket, but where an address changes that may be that of somebody
    /// who was deleted.
    pub async fn set_fields(
        &self,
        customer: CustomerId,
        fields: &[(String, Option<FieldValue>)],
        model: &DataModel,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        self.set_fields_seen(customer, fields, model, None, by, at)
            .await
    }

    /// The same, if the customer is still as they were seen.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] when they are not.
    pub async fn set_fields_seen(
        &self,
        customer: CustomerId,
        fields: &[(String, Option<FieldValue>)],
        model: &DataModel,
        seen: Seen<'_>,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        self.edit(FieldEdit {
            customer,
            fields: fields.to_vec(),
            model: model.clone(),
            by: by.clone(),
            at,
            seen: seen.map(<[Version]>::to_vec),
        })
        .await
    }
}

/// Sets fields of customers, each of them once; whether there was anything to change of each.
pub(super) async fn set_all(tx: &mut Tx, edits: &[&FieldEdit]) -> Result<Vec<Result<bool>>> {
    returning::foresee(tx, edits).await?;
    let names = keep(tx, edits.iter().map(|edit| edit.customer)).await?;
    let mut moved = BTreeSet::new();
    for edit in edits
        .iter()
        .filter(|edit| names.contains_key(&edit.customer))
    {
        let seen = seen::require(tx, edit.customer, edit.seen.as_deref(), &edit.model).await;
        match seen {
            Err(Error::Conflict(_)) => drop(moved.insert(edit.customer)),
            other => other?,
        }
    }
    let row = |edit: &&&FieldEdit| {
        Some(NewCustomer {
            external_id: names.get(&edit.customer)?.clone(),
            fields: edit.fields.clone(),
        })
    };
    let wanted = edits.iter().filter(|edit| !moved.contains(&edit.customer));
    let rows: Vec<NewCustomer> = wanted.clone().filter_map(|edit| row(&edit)).collect();
    let last = wanted.max_by_key(|edit| edit.at);
    let changed = match last.filter(|_| !rows.is_empty()) {
        Some(last) => write(tx, &rows, &last.model, (&last.by, last.at)).await?,
        None => BTreeSet::new(),
    };
    let is_changed = |edit: &&&FieldEdit| changed.contains(&edit.customer);
    let lines: Vec<Interaction> = edits
        .iter()
        .filter(is_changed)
        .map(|edit| line(edit.customer, &edit.fields, (&edit.by, edit.at)))
        .collect();
    interactions::insert(tx, &lines).await?;
    let done = edits.iter().map(|edit| match names.get(&edit.customer) {
        Some(_) if moved.contains(&edit.customer) => Err(seen::moved()),
        Some(_) => Ok(changed.contains(&edit.customer)),
        None => Err(changes::unknown(edit.customer)),
    });
    Ok(done.collect())
}

/// Sets the same fields of customers who are kept, by their unique ids; who had other values before.
pub(super) async fn set_alike(
    tx: &mut Tx,
    names: &BTreeMap<CustomerId, String>,
    fields: &[(String, Option<FieldValue>)],
    model: &DataModel,
    (by, at): (&By, Timestamp),
) -> Result<BTreeSet<CustomerId>> {
    let row = |name: &String| NewCustomer {
        external_id: name.clone(),
        fields: fields.to_vec(),
    };
    let rows: Vec<NewCustomer> = names.values().map(row).collect();
    let changed = write(tx, &rows, model, (by, at)).await?;
    let line = |customer: &CustomerId| line(*customer, fields, (by, at));
    let lines: Vec<Interaction> = changed.iter().map(line).collect();
    interactions::insert(tx, &lines).await?;
    Ok(changed)
}

async fn write(
    tx: &mut Tx,
    rows: &[NewCustomer],
    model: &DataModel,
    (by, at): (&By, Timestamp),
) -> Result<BTreeSet<CustomerId>> {
    let how = Upsert {
        model,
        tags: &[],
        consents: &[],
        by,
        at,
    };
    let sheet = Sheet::of(rows, how.model)?;
    let unknown = returning::Known::default();
    let (_, changed) = customer_upsert::apply(tx, &sheet, sheet.rows(), &how, unknown).await?;
    Ok(changed)
}

/// Keeps customers from being changed or deleted by others; the unique ids of those who are there.
pub(super) async fn keep(
    tx: &mut Tx,
    customers: impl Iterator<Item = CustomerId>,
) -> Result<BTreeMap<CustomerId, String>> {
    let ids: Vec<i64> = customers.map(|customer| customer.0).collect();
    let kept: Vec<(i64, String)> = listed(query(KEEP).bind(json(&ids)), tx).await?;
    let kept = kept.into_iter().map(|(id, name)| (CustomerId(id), name));
    Ok(kept.collect())
}

/// The line names the fields and never their values.
pub(super) fn line(
    customer: CustomerId,
    fields: &[(String, Option<FieldValue>)],
    (by, at): (&By, Timestamp),
) -> Interaction {
    let mut line = changes::line(customer, at, Kind::FieldChanged, by);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(detail) = &mut line.detail {
        detail["fields"] = json!(names);
    }
    line
}
