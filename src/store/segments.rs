//! Owns the questions to segments: how many, who, and which of these.

use std::collections::HashSet;
use std::hash::Hash;

use serde_json::json;

use super::bind::{Bind, Cell};
use super::db::Store;
use super::dialect::ids;
use super::error::Result;
use super::segment_frame::{Frame, Predicate, Within};
use super::segment_sql::compile;
use super::sql::Row;
use super::sql::composed;
use crate::domain::ids::{CustomerId, EnrollmentId};
use crate::domain::segment::Condition;

const CUSTOMERS: &str = "FROM customers AS c WHERE c.bucket BETWEEN 0 AND 1023 AND ";
const THESE: &str = concat!(
    "SELECT c.customer_id FROM ",
    ids!(),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id = k.id AND "
);
const ENROLLED: &str = concat!(
    "SELECT e.enrollment_id FROM ",
    ids!(),
    " AS k CROSS JOIN enrollments AS e CROSS JOIN customers AS c WHERE e.bucket = k.bucket \
     AND e.enrollment_id = k.id AND c.bucket = e.bucket AND c.customer_id = e.customer_id AND "
);

impl Store {
    pub async fn segment_count(&self, condition: &Condition, frame: &Frame<'_>) -> Result<u64> {
        let predicate = compile(condition, frame, 1, Within::Customer)?;
        let counted = self
            .ask(
                "@everywhere(people)SELECT count(*) ",
                CUSTOMERS,
                None,
                predicate,
                "",
            )
            .await?;
        Ok(counted.first().copied().unwrap_or_default().unsigned_abs())
    }

    /// Those of the customers who meet the condition.
    pub async fn matching(
        &self,
        condition: &Condition,
        frame: &Frame<'_>,
        customers: &[CustomerId],
    ) -> Result<HashSet<CustomerId>> {
        let predicate = compile(condition, frame, 2, Within::Customer)?;
        let numbers = customers.iter().map(|id| id.0);
        self.which(THESE, numbers, predicate, CustomerId).await
    }

    /// Those of the enrollments whose customers meet the condition; `did` counts from the
    /// enrollment's start.
    pub async fn matching_enrollments(
        &self,
        condition: &Condition,
        frame: &Frame<'_>,
        enrollments: &[EnrollmentId],
    ) -> Result<HashSet<EnrollmentId>> {
        let predicate = compile(condition, frame, 2, Within::Enrollment)?;
        let numbers = enrollments.iter().map(|id| id.0);
        self.which(ENROLLED, numbers, predicate, EnrollmentId).await
    }

    async fn which<I: Eq + Hash>(
        &self,
        from: &str,
        numbers: impl Iterator<Item = i64>,
        predicate: Predicate,
        id: impl Fn(i64) -> I,
    ) -> Result<HashSet<I>> {
        let numbers = json!(numbers.collect::<Vec<_>>()).to_string();
        let found = self
            .ask("", from, Some(Bind::Text(numbers)), predicate, "")
            .await?;
        Ok(found.into_iter().map(id).collect())
    }

    async fn ask(
        &self,
        select: &str,
        from: &str,
        first: Cell,
        predicate: Predicate,
        tail: &str,
    ) -> Result<Vec<i64>> {
        let sql = format!("{select}{from}{}{tail}", predicate.sql);
        let found = composed(sql, first, predicate.binds)
            .fetch_all(self.read())
            .await?;
        found.iter().map(Row::take).collect()
    }
}
