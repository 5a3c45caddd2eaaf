//! Owns writing customers that a program gives, with what became of each of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::changes;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::db::Store;
use super::dialect::rows;
use super::error::Result;
use super::interactions;
use super::listing::{json, listed};
use super::sql::query;
use super::tx::Tx;
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::interaction::{Interaction, Kind};

const THERE: &str = concat!(
    "SELECT @list(@array(c.external_id, c.customer_id)) FROM ",
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.external_id = j.external_id"
);

pub(super) const STATEMENTS: &[&str] = &[THERE];

/// What became of one customer of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    Created,
    Updated,
    /// It was so already.
    Unchanged,
}

impl Store {
    /// Creates or changes the customers in one transaction, and leaves a line in the history of each
    /// who changed. One answer for each, in their order; of two with the same id the later goes over
    /// the earlier.
    pub async fn upsert_each(
        &self,
        customers: &[NewCustomer],
        how: &Upsert<'_>,
    ) -> Result<Vec<Written>> {
        let sheet = Sheet::of(customers, how.model)?;
        let mut tx = self.begin().await?;
        let there = there(&mut tx, customers).await?;
        let (_, changed) = customer_upsert::apply(&mut tx, &sheet, sheet.rows(), how).await?;
        let lines = lines(customers, &there, &changed, how);
        interactions::insert(&mut tx, &lines).await?;
        tx.commit().await?;
        let written = customers
            .iter()
            .map(|customer| match there.get(&customer.external_id) {
                None => Written::Created,
                Some(id) if changed.contains(id) => Written::Updated,
                Some(_) => Written::Unchanged,
            });
        Ok(written.collect())
    }
}

/// Those of the customers who are there.
async fn there(tx: &mut Tx, customers: &[NewCustomer]) -> Result<BTreeMap<String, CustomerId>> {
    let ids: BTreeSet<&str> = customers
        .iter()
        .map(|row| row.external_id.as_str())
        .collect();
    let keys: Vec<(u16, &str)> = ids.into_iter().map(|id| (Bucket::of(id).0, id)).collect();
    let found: Vec<(String, i64)> = listed(query(THERE).bind(json(&keys)), tx).await?;
    let found = found.into_iter().map(|(name, id)| (name, CustomerId(id)));
    Ok(found.collect())
}

/// A line names the fields and never their values.
fn lines(
    customers: &[NewCustomer],
    there: &BTreeMap<String, CustomerId>,
    changed: &BTreeSet<CustomerId>,
    how: &Upsert<'_>,
) -> Vec<Interaction> {
    let mut fields: BTreeMap<CustomerId, BTreeSet<&str>> = BTreeMap::new();
    for customer in customers {
        let id = there.get(&customer.external_id);
        if let Some(id) = id.filter(|id| changed.contains(id)) {
            let names = customer.fields.iter().map(|(name, _)| name.as_str());
            fields.entry(*id).or_default().extend(names);
        }
    }
    let line = |(id, names): (CustomerId, BTreeSet<&str>)| {
        let mut line = changes::line(id, how.at, Kind::FieldChanged, how.by);
        if let Some(detail) = &mut line.detail {
            detail["fields"] = json!(names);
        }
        line
    };
    fields.into_iter().map(line).collect()
}
