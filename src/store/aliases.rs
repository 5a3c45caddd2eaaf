//! Owns where the unique ids of those lead who became part of other customers.

use std::collections::HashMap;

use super::among::numbers;
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::Result;
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use crate::domain::ids::{Bucket, CustomerId};

const ANY: &str = "@everywhere(people)SELECT a.bucket FROM aliases AS a \
     WHERE a.bucket BETWEEN 0 AND 1023 LIMIT 1";
/// An id that somebody has by now is theirs.
const LEADING: &str = concat!(
    listed!("j.external_id, a.leads_to"),
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN aliases AS a WHERE a.bucket = j.bucket AND a.external_id = j.external_id \
     AND NOT EXISTS (SELECT 1 FROM customers AS c WHERE c.bucket = a.bucket \
     AND c.external_id = a.external_id)"
);
const NAMES: &str = concat!(
    listed!("c.customer_id, c.external_id"),
    ids!(),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id = k.id"
);

pub(super) const STATEMENTS: &[&str] = &[ANY, LEADING, NAMES];

/// Ids that are looked up by one statement.
const TOGETHER: usize = 10_000;

impl Store {
    /// Whether any id leads to another customer.
    pub async fn has_aliases(&self) -> Result<bool> {
        let any: Option<i64> = query_scalar(ANY).fetch_optional(self.read()).await?;
        Ok(any.is_some())
    }

    /// Of those of the unique ids whose customers became part of others: the ids of these.
    pub async fn leading(&self, ids: &[&str]) -> Result<HashMap<String, String>> {
        let mut leads: Vec<(String, i64)> = Vec::new();
        for some in ids.chunks(TOGETHER) {
            let asked: Vec<(u16, &str)> = some.iter().map(|id| (Bucket::of(id).0, *id)).collect();
            leads.extend(
                listed::<(String, i64)>(query(LEADING).bind(json(&asked)), self.read()).await?,
            );
        }
        if leads.is_empty() {
            return Ok(HashMap::new());
        }
        let into: Vec<CustomerId> = leads.iter().map(|(_, id)| CustomerId(*id)).collect();
        let names = query(NAMES).bind(numbers(&into));
        let names: Vec<(i64, String)> = listed(names, self.read()).await?;
        let names: HashMap<i64, String> = names.into_iter().collect();
        let leads = leads.into_iter();
        let named = leads.filter_map(|(id, into)| Some((id, names.get(&into)?.clone())));
        Ok(named.collect())
    }
}
