//! Owns lists of customers page by page: each page begins after the last customer of the one before.

use super::bind::Bind;
use super::db::Store;
use super::error::Result;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::{composed, query_scalar};
use crate::domain::ids::CustomerId;
use crate::domain::segment::Condition;

/// A customer's number begins with the bucket, so the numbers are in the order of both; only the
/// bucket that the last page ended in is gone through again, by its key alone.
const NEXT: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN $1 AND 1023 AND c.customer_id > $2 \
     ORDER BY c.bucket, c.customer_id LIMIT $3";
const NEXT_OF: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN $1 AND 1023 AND c.customer_id > $2 AND ";

pub(super) const STATEMENTS: &[&str] = &[NEXT];

impl Store {
    /// The customers after this one, or from the first, in the order of their numbers. An empty page
    /// is the end; whoever is made meanwhile may or may not be met.
    pub async fn customers_after(
        &self,
        last: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let (bucket, number) = from(last);
        let numbers: Vec<i64> = query_scalar(NEXT)
            .bind(bucket)
            .bind(number)
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        Ok(numbers.into_iter().map(CustomerId).collect())
    }

    /// The same of those who meet a condition.
    pub async fn customers_meeting_after(
        &self,
        condition: &Condition,
        frame: &Frame<'_>,
        last: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let (bucket, number) = from(last);
        let predicate = compile(condition, frame, 4, Within::Customer)?;
        let sql = format!(
            "{NEXT_OF}{} ORDER BY c.bucket, c.customer_id LIMIT $3",
            predicate.sql
        );
        let own = [bucket, number, i64::from(limit)].map(Bind::Int);
        let found = composed(sql, own, predicate.binds)
            .fetch_all(self.read())
            .await?;
        found.iter().map(|row| row.take().map(CustomerId)).collect()
    }
}

fn from(last: Option<CustomerId>) -> (i64, i64) {
    last.map_or((0, -1), |id| (i64::from(id.bucket().0), id.0))
}
