//! Owns the questions to segments: how many, who, and which of these.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::Hash;

use serde_json::json;

use super::bind::{Bind, Cell};
use super::db::Store;
use super::dialect::ids;
use super::error::Result;
use super::segment_frame::{Binds, Frame, Predicate, Within};
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

    /// How many customers there are, and how many are left after each of the conditions in turn; all of
    /// one moment, in one pass.
    pub async fn segment_counts(
        &self,
        conditions: &[Condition],
        frame: &Frame<'_>,
    ) -> Result<Vec<u64>> {
        let mut binds = Binds::from(1);
        let mut cases = String::new();
        for (place, condition) in conditions.iter().enumerate() {
            let predicate = compile(condition, frame, binds.next(), Within::Customer)?;
            binds.values.extend(predicate.binds);
            let _ = write!(cases, "WHEN {} IS NOT TRUE THEN {place} ", predicate.sql);
        }
        let end = conditions.len();
        let fails = if cases.is_empty() {
            end.to_string()
        } else {
            format!("CASE {cases}ELSE {end} END")
        };
        let sql = format!(
            "@everywhere(people)SELECT n.fails, count(*) FROM (SELECT {fails} AS fails \
             FROM customers AS c WHERE c.bucket BETWEEN 0 AND 1023) AS n GROUP BY n.fails"
        );
        let mut left = vec![0; end + 1];
        for row in self.scan(sql, binds.values).await? {
            let (fails, count): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            // Who fails at one was left by all before it.
            let passed = usize::try_from(fails).unwrap_or(0);
            for count_left in left.iter_mut().take(passed + 1) {
                *count_left += count.unsigned_abs();
            }
        }
        Ok(left)
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
