//! Owns who is behind the ids that senders know: customers, visitors, and those whose id leads to another by now.

use std::collections::{BTreeSet, HashMap};

use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::customers::numbers_of;
use super::db::Store;
use super::dialect::{listed, rows};
use super::error::Result;
use super::listing::{json, listed};
use super::returning;
use super::sql::query;
use crate::domain::ids::{Bucket, CustomerId};

const OWN: &str = concat!(
    listed!("j.external_id, c.customer_id, c.identified"),
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.external_id = j.external_id"
);
const LEADING: &str = concat!(
    listed!("j.external_id, a.leads_to"),
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN aliases AS a WHERE a.bucket = j.bucket AND a.external_id = j.external_id"
);
const ANONYMOUS: &str = concat!(
    "UPDATE customers SET identified = 0 WHERE (bucket, external_id) IN \
     (SELECT j.bucket, j.external_id FROM ",
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j)"
);

pub(super) const STATEMENTS: &[&str] = &[OWN, LEADING, ANONYMOUS];

/// Who is behind an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// A customer of whom it is known who they are.
    Identified(CustomerId),
    /// A visitor of whom it is not.
    Anonymous(CustomerId),
    /// The customer whom a visitor with this id turned out to be.
    Merged(CustomerId),
}

impl Behind {
    pub fn customer(self) -> CustomerId {
        match self {
            Self::Identified(id) | Self::Anonymous(id) | Self::Merged(id) => id,
        }
    }
}

impl Store {
    /// Who is behind those of these ids that are known.
    pub async fn behind(&self, ids: &BTreeSet<String>) -> Result<HashMap<String, Behind>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let asked = json(&keyed(ids.iter()));
        let merged: Vec<(String, i64)> = listed(query(LEADING).bind(&asked), self.read()).await?;
        let own: Vec<(String, i64, i64)> = listed(query(OWN).bind(&asked), self.read()).await?;
        let merged = merged
            .into_iter()
            .map(|(name, id)| (name, Behind::Merged(CustomerId(id))));
        let own = own.into_iter().map(|(name, id, identified)| {
            let behind = match identified {
                0 => Behind::Anonymous(CustomerId(id)),
                _ => Behind::Identified(CustomerId(id)),
            };
            (name, behind)
        });
        Ok(merged.chain(own).collect())
    }

    /// Adds visitors of whom nobody knows yet who they are; an id that somebody has is passed over.
    pub async fn add_visitors(&self, ids: &BTreeSet<String>, how: &Upsert<'_>) -> Result<()> {
        let buckets = ids.iter().map(|id| Bucket::of(id));
        let mut tx = self.write_alone(buckets).await?;
        let there = numbers_of(ids.iter().map(String::as_str), &mut tx).await?;
        let new: Vec<&String> = ids.iter().filter(|id| !there.contains_key(*id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let customers: Vec<NewCustomer> = new.iter().map(|id| nameless(id)).collect();
        let sheet = Sheet::of(&customers, how.model)?;
        let unknown = returning::Known::default();
        customer_upsert::apply(&mut tx, &sheet, sheet.rows(), how, unknown).await?;
        let marking = query(ANONYMOUS).bind(json(&keyed(new.into_iter())));
        marking.execute(&mut tx).await?;
        tx.commit().await
    }
}

fn nameless(id: &str) -> NewCustomer {
    NewCustomer {
        external_id: id.to_owned(),
        fields: Vec::new(),
    }
}

fn keyed<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<(u16, &'a String)> {
    ids.map(|id| (Bucket::of(id).0, id)).collect()
}
