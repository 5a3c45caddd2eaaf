//! Owns who carries a tag: how many, and taking it from them page by page.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::sql::{query, query_scalar};
use super::tagging::{self, Tagging};
use crate::domain::audit::By;
use crate::domain::ids::{CustomerId, NameNo};

const COUNT: &str = "@everywhere(people)SELECT count(*) FROM customer_tags \
     WHERE bucket BETWEEN 0 AND 1023 AND tag = $1";
const COUNTS: &str = "@everywhere(people)SELECT tag, count(*) FROM customer_tags \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY tag";
const CARRIERS: &str = "@everywhere(upkeep)SELECT customer_id FROM customer_tags \
     WHERE bucket BETWEEN $1 AND 1023 AND tag = $2 AND customer_id > $3 \
     ORDER BY bucket, customer_id LIMIT $4";

pub(super) const STATEMENTS: &[&str] = &[COUNT, COUNTS, CARRIERS];

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

    /// Takes a tag from these customers; the history of each who carried it says so.
    pub async fn untag(
        &self,
        (tag, name): (NameNo, &str),
        carriers: &[CustomerId],
        by: (&By, Timestamp),
    ) -> Result<()> {
        let tagging = Tagging {
            tag,
            name,
            is_put_on: false,
        };
        let mut tx = self.begin().await?;
        tagging::tag(&mut tx, carriers, tagging, by).await?;
        tx.commit().await
    }
}
