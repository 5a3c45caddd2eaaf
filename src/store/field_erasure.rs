//! Owns the erasure of a removed field's values, of whatever type they were, page by page.

use std::collections::BTreeSet;

use super::bind::Bind;
use super::customer_columns;
use super::db::Store;
use super::dialect::{Dialect, ids};
use super::error::Result;
use super::listing::json;
use super::sql::{composed, query};
use crate::domain::ids::{CustomerId, NameNo};

const LISTS: &str = "@everywhere(upkeep)SELECT DISTINCT v.bucket, v.customer_id \
     FROM customer_values AS v WHERE v.bucket BETWEEN $1 AND 1023 AND v.customer_id > $2 \
     AND v.field = $3 ORDER BY v.bucket, v.customer_id LIMIT $4";
const ERASE_LISTS: &str = concat!(
    "DELETE FROM customer_values WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k) AND field = $2"
);
/// Overwrites what is erased, where it would stay in the file (sqlite.org/pragma.html, `secure_delete`).
const OVERWRITE: &str = "PRAGMA secure_delete = ON";
const AS_USUAL: &str = "PRAGMA secure_delete = OFF";

pub(super) const STATEMENTS: &[&str] = &[LISTS, ERASE_LISTS];

impl Store {
    /// The next customers, by number, who have a value of a field, of whatever type it was.
    pub async fn field_holders(
        &self,
        field: &str,
        number: Option<NameNo>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let (bucket, last) = after.map_or((0, -1), |id| (i64::from(id.bucket().0), id.0));
        let columns = customer_columns::present(self.read(), field).await?;
        let mut holders = BTreeSet::new();
        if !columns.is_empty() {
            let has: Vec<String> = columns
                .iter()
                .map(|c| format!("c.{c} IS NOT NULL"))
                .collect();
            let sql = format!(
                "@everywhere(upkeep)SELECT c.customer_id FROM customers AS c \
                 WHERE c.bucket BETWEEN $1 AND 1023 AND c.customer_id > $2 AND ({}) \
                 ORDER BY c.bucket, c.customer_id LIMIT $3",
                has.join(" OR ")
            );
            let own = [bucket, last, i64::from(limit)].map(Bind::Int);
            for row in composed(sql, own, Vec::new())
                .fetch_all(self.read())
                .await?
            {
                holders.insert(row.take().map(CustomerId)?);
            }
        }
        if let Some(number) = number {
            let asked = query(LISTS).bind(bucket).bind(last).bind(i64::from(number));
            for row in asked.bind(limit).fetch_all(self.read()).await? {
                holders.insert(CustomerId(row.try_get(1)?));
            }
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(holders.into_iter().take(most).collect())
    }

    /// Erases the values that these customers have of a field.
    pub async fn erase_field(
        &self,
        field: &str,
        number: Option<NameNo>,
        holders: &[CustomerId],
    ) -> Result<()> {
        let ids: Vec<i64> = holders.iter().map(|id| id.0).collect();
        let ids = json(&ids);
        let mut tx = self.begin().await?;
        let is_file = tx.dialect() == Dialect::Sqlite;
        if is_file {
            query(OVERWRITE).execute(&mut tx).await?;
        }
        let columns = customer_columns::present(&mut tx, field).await?;
        if !columns.is_empty() {
            let clear: Vec<String> = columns.iter().map(|c| format!("{c} = NULL")).collect();
            let sql = format!(
                "UPDATE customers SET {} WHERE (bucket, customer_id) IN \
                 (SELECT k.bucket, k.id FROM {} AS k)",
                clear.join(", "),
                ids!()
            );
            query(sql).bind(&ids).execute(&mut tx).await?;
        }
        if let Some(number) = number {
            let erasing = query(ERASE_LISTS).bind(&ids).bind(i64::from(number));
            erasing.execute(&mut tx).await?;
        }
        if is_file {
            query(AS_USUAL).execute(&mut tx).await?;
        }
        tx.commit().await
    }
}
