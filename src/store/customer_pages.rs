//! Owns lists of customers page by page: each page begins after the last customer of the one before.

use super::db::Store;
use super::error::Result;
use super::patterns;
use super::sql::{Row, query};
use crate::domain::customer::Customer;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::value::fold;

/// In the order of buckets and numbers.
const PAGE: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN $1 AND 1023 AND (c.bucket > $1 OR c.customer_id > $2) \
     ORDER BY c.bucket, c.customer_id LIMIT $3";
/// The exact identifier first; then whatever begins like the text, by identifier.
const FIND: &str = "@everywhere(people)SELECT c.customer_id FROM customers AS c \
     WHERE c.bucket BETWEEN 0 AND 1023 AND (c.external_id = $1 OR c.n_email LIKE $2 ESCAPE '\\' OR c.n_phone LIKE $2 ESCAPE '\\' \
     OR c.n_first_name LIKE $2 ESCAPE '\\' OR c.n_last_name LIKE $2 ESCAPE '\\' \
     OR c.n_first_name || ' ' || c.n_last_name LIKE $2 ESCAPE '\\' \
     OR @lower(c.external_id) LIKE $2 ESCAPE '\\') \
     AND (CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END > $4 \
     OR (CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END = $4 AND c.external_id > $5)) \
     ORDER BY CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END, c.external_id LIMIT $3";

pub(super) const STATEMENTS: &[&str] = &[PAGE, FIND];

impl Store {
    /// The next customers after this one, in the order of their numbers.
    pub async fn customer_page(
        &self,
        after: Option<CustomerId>,
        limit: u32,
        model: &DataModel,
    ) -> Result<Vec<Customer>> {
        let after = after.unwrap_or(CustomerId(-1));
        let bucket = if after.0 < 0 { 0 } else { after.bucket().0 };
        let rows = query(PAGE)
            .bind(i64::from(bucket))
            .bind(after.0)
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        self.of_rows(&rows, model).await
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
        let rows = query(FIND)
            .bind(text)
            .bind(format!("{}%", patterns::literal(&fold(text))))
            .bind(limit)
            .bind(rank)
            .bind(after)
            .fetch_all(self.read())
            .await?;
        self.of_rows(&rows, model).await
    }

    async fn of_rows(&self, rows: &[Row], model: &DataModel) -> Result<Vec<Customer>> {
        let numbers: Result<Vec<i64>> = rows.iter().map(Row::take).collect();
        let customers: Vec<CustomerId> = numbers?.into_iter().map(CustomerId).collect();
        self.customers(&customers, model).await
    }
}
