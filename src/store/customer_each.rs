//! Owns writing customers that a program gives, with what became of each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::changes;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::customers;
use super::db::Store;
use super::error::Result;
use super::interactions;
use super::returning;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};

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
        rows: &[NewCustomer],
        how: &Upsert<'_>,
    ) -> Result<Vec<Written>> {
        let sheet = Sheet::of(rows, how.model)?;
        let known = returning::ahead(self, &sheet, sheet.rows()).await?;
        let mut tx = self.write_rows(&sheet, sheet.rows(), how, &known).await?;
        let ids = rows.iter().map(|row| row.external_id.as_str());
        let there = customers::numbers_of(ids, &mut tx).await?;
        let (_, changed) =
            customer_upsert::apply(&mut tx, &sheet, sheet.rows(), how, known).await?;
        let lines = lines(rows, &there, &changed, how);
        interactions::insert(&mut tx, &lines).await?;
        tx.commit().await?;
        let written = rows
            .iter()
            .map(|customer| match there.get(&customer.external_id) {
                None => Written::Created,
                Some(id) if changed.contains(id) => Written::Updated,
                Some(_) => Written::Unchanged,
            });
        Ok(written.collect())
    }
}

/// A line names the fields and never their values.
fn lines(
    customers: &[NewCustomer],
    there: &HashMap<String, CustomerId>,
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
