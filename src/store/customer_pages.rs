//! Owns lists of customers page by page: each page begins after the last customer of the one before.

use super::bind::Bind;
use super::db::Store;
use super::error::Result;
use super::patterns;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::{composed, query_scalar};
use crate::domain::customer::Customer;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::segment::Condition;
use crate::domain::value::fold;

/// A customer's number begins with the bucket, so the numbers are in the order of both; only the
/// bucket that the last page ended in is gone through again, by its key alone.
const NEXT: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN $1 AND 1023 AND c.customer_id > $2 \
     ORDER BY c.bucket, c.customer_id LIMIT $3";
const NEXT_OF: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN $1 AND 1023 AND c.customer_id > $2 AND ";

/// The exact identifier first; then whatever begins like the text, by identifier.
const FIND: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN 0 AND 1023 AND (c.external_id = $1 OR c.n_email LIKE $2 ESCAPE '\\' OR c.n_phone LIKE $2 ESCAPE '\\' \
     OR c.n_first_name LIKE $2 ESCAPE '\\' OR c.n_last_name LIKE $2 ESCAPE '\\' \
     OR c.n_first_name || ' ' || c.n_last_name LIKE $2 ESCAPE '\\' \
     OR @lower(c.external_id) LIKE $2 ESCAPE '\\') \
     AND (CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END > $4 \
     OR (CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END = $4 AND c.external_id > $5)) \
     ORDER BY CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END, c.external_id LIMIT $3";

pub(super) const STATEMENTS: &[&str] = &[NEXT, FIND];

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

    /// The next customers after this unique id whose identifier, e-mail address, phone number or name
    /// begins like the text.
    pub async fn find_page(
        &self,
        text: &str,
        after: Option<&str>,
        limit: u32,
        model: &DataModel,
    ) -> Result<Vec<Customer>> {
        let (rank, after) = match after {
            None => (-1, ""),
            Some(after) if after == text => (0, after),
            Some(after) => (1, after),
        };
        let numbers: Vec<i64> = query_scalar(FIND)
            .bind(text)
            .bind(format!("{}%", patterns::literal(&fold(text))))
            .bind(limit)
            .bind(rank)
            .bind(after)
            .fetch_all(self.read())
            .await?;
        let found: Vec<CustomerId> = numbers.into_iter().map(CustomerId).collect();
        self.customers(&found, model).await
    }
}

fn from(last: Option<CustomerId>) -> (i64, i64) {
    last.map_or((0, -1), |id| (i64::from(id.bucket().0), id.0))
}
