//! Owns what imports keep of the values of a removed field: it is taken out of what they could put back.

use super::db::Store;
use super::dialect::{Dialect, rows};
use super::erasure::{AS_USUAL, OVERWRITE};
use super::error::Result;
use super::import_before::Before;
use super::listing::json;
use super::sql::{Row, query};
use crate::domain::ids::CustomerId;
use crate::domain::import::ImportNo;

const KEPT: &str = "@everywhere(upkeep)SELECT b.customer_id, b.import, b.body \
     FROM import_changes AS b WHERE b.bucket BETWEEN $1 AND 1023 \
     AND (b.customer_id > $2 OR (b.customer_id = $2 AND b.import > $3)) AND b.body LIKE $4 \
     ORDER BY b.bucket, b.customer_id, b.import LIMIT $5";
const TAKE_OUT: &str = concat!(
    "UPDATE import_changes SET body = j.body FROM ",
    rows!(id BIGINT 0, import BIGINT 1, body TEXT 2),
    " AS j WHERE import_changes.bucket = j.id >> 48 AND import_changes.customer_id = j.id \
     AND import_changes.import = j.import"
);

pub(super) const STATEMENTS: &[&str] = &[KEPT, TAKE_OUT];

impl Store {
    /// Takes a removed field out of the next changes of imports behind a place; the place after them, or
    /// none: that was all.
    pub async fn erase_field_in_imports(
        &self,
        field: &str,
        after: Option<(CustomerId, ImportNo)>,
        limit: u32,
    ) -> Result<Option<(CustomerId, ImportNo)>> {
        let (customer, import) = after.unwrap_or((CustomerId(-1), ImportNo(0)));
        let bucket = after.map_or(0, |(id, _)| i64::from(id.bucket().0));
        let kept = query(KEPT).bind(bucket).bind(customer.0).bind(import.0);
        let kept = kept.bind(format!("%\"{field}\"%")).bind(limit);
        let kept = kept.fetch_all(self.read()).await?;
        let read = |row: &Row| {
            let mut before = Before::read(row.text(2)?)?;
            before.fields.retain(|moved| moved.field != field);
            before.several.retain(|moved| moved.field != field);
            Ok((row.try_get(0)?, row.try_get(1)?, json(&before)))
        };
        let without: Vec<(i64, i64, String)> = kept.iter().map(read).collect::<Result<_>>()?;
        let Some((customer, import, _)) = without.last() else {
            return Ok(None);
        };
        let place = (CustomerId(*customer), ImportNo(*import));
        let mut tx = self.begin().await?;
        let is_file = tx.dialect() == Dialect::Sqlite;
        if is_file {
            query(OVERWRITE).execute(&mut tx).await?;
        }
        let take_out = query(TAKE_OUT).bind(json(&without));
        take_out.execute(&mut tx).await?;
        if is_file {
            query(AS_USUAL).execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(Some(place))
    }
}
