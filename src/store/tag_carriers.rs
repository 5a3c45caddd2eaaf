//! Owns who carries a tag: how many, and taking it from them page by page.

use std::collections::BTreeMap;

use super::db::Store;
use super::dialect::ids;
use super::dirty;
use super::error::Result;
use super::listing::json;
use super::sql::{query, query_scalar};
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::touched::Touched;

const COUNT: &str = "@everywhere(people)SELECT count(*) FROM customer_tags \
     WHERE bucket BETWEEN 0 AND 1023 AND tag = $1";
const COUNTS: &str = "@everywhere(people)SELECT tag, count(*) FROM customer_tags \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY tag";
const CARRIERS: &str = "@everywhere(upkeep)SELECT customer_id FROM customer_tags \
     WHERE bucket BETWEEN $1 AND 1023 AND tag = $2 AND customer_id > $3 \
     ORDER BY bucket, customer_id LIMIT $4";
const REMOVE: &str = concat!(
    "DELETE FROM customer_tags WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k) AND tag = $2"
);

pub(super) const STATEMENTS: &[&str] = &[COUNT, COUNTS, CARRIERS, REMOVE];

impl Store {
    /// How many customers carry a tag.
    pub async fn tag_count(&self, tag: NameNo) -> Result<u64> {
        let count: i64 = query_scalar(COUNT)
            .bind(i64::from(tag))
            .fetch_one(self.read())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// How many customers carry each tag that anybody carries.
    pub async fn tag_counts(&self) -> Result<BTreeMap<NameNo, u64>> {
        let rows = query(COUNTS).fetch_all(self.read()).await?;
        let rows = rows.iter().map(|row| {
            let (tag, count): (i32, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok((NameNo(tag), count.unsigned_abs()))
        });
        rows.collect()
    }

    /// The next customers, by number, who carry a tag.
    pub async fn carriers_of(
        &self,
        tag: NameNo,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let (bucket, last) = after.map_or((0, -1), |id| (i64::from(id.bucket().0), id.0));
        let carriers: Vec<i64> = query_scalar(CARRIERS)
            .bind(bucket)
            .bind(i64::from(tag))
            .bind(last)
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        Ok(carriers.into_iter().map(CustomerId).collect())
    }

    /// Takes a tag from these customers.
    pub async fn untag(&self, tag: NameNo, carriers: &[CustomerId]) -> Result<()> {
        let ids: Vec<i64> = carriers.iter().map(|id| id.0).collect();
        let mut tx = self.begin().await?;
        let removing = query(REMOVE).bind(json(&ids)).bind(i64::from(tag));
        removing.execute(&mut tx).await?;
        dirty::mark(&mut tx, Touched::TAGS, carriers).await?;
        tx.commit().await
    }
}
