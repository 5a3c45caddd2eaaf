//! Owns where the customers who meet a condition stand with a flow: they are only counted.

use super::bind::Bind;
use super::db::Store;
use super::error::{Error, Result};
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::composed;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::NameNo;
use crate::domain::segment::Condition;

/// So many customers, and the unique id of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People {
    pub customers: u64,
    pub example: Option<String>,
}

/// Customers whose last entry stands like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEntries {
    pub status: EnrollmentStatus,
    pub exit: Option<ExitReason>,
    pub people: People,
}

const LAST_ENTRIES: &str = "@everywhere(people)SELECT e.status, coalesce(e.exit_reason, 0), count(*), \
     min(c.external_id) FROM customers AS c JOIN enrollments AS e ON e.bucket = c.bucket \
     AND e.customer_id = c.customer_id WHERE c.bucket BETWEEN 0 AND 1023 AND e.flow = $1 \
     AND NOT EXISTS (SELECT 1 FROM enrollments AS l WHERE l.bucket = e.bucket \
     AND l.customer_id = e.customer_id AND l.flow = e.flow AND l.entry > e.entry) AND ";
const NEVER: &str = "@everywhere(people)SELECT count(*), min(c.external_id) FROM customers AS c \
     WHERE c.bucket BETWEEN 0 AND 1023 AND NOT EXISTS (SELECT 1 FROM enrollments AS e \
     WHERE e.bucket = c.bucket AND e.customer_id = c.customer_id AND e.flow = $1) AND ";

impl Store {
    /// Those who meet a condition and came into the flow, or wait to be let in.
    pub async fn last_entries(
        &self,
        flow: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<Vec<LastEntries>> {
        let predicate = compile(condition, frame, 2, Within::Customer)?;
        let sql = format!(
            "{LAST_ENTRIES}({}) GROUP BY e.status, coalesce(e.exit_reason, 0)",
            predicate.sql
        );
        let asked = composed(sql, [Bind::Int(flow.into())], predicate.binds);
        let rows = asked.fetch_all(self.read()).await?;
        let rows = rows.iter().map(|row| {
            let (status, exit): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let unknown = || Error::Corrupt(format!("{status} is no status of an enrollment"));
            Ok(LastEntries {
                status: EnrollmentStatus::from_number(status).ok_or_else(unknown)?,
                exit: ExitReason::from_number(exit),
                people: People {
                    customers: row.try_get::<i64>(2)?.unsigned_abs(),
                    example: row.try_get(3)?,
                },
            })
        });
        rows.collect()
    }

    /// Those who meet a condition and never came near the flow.
    pub async fn strangers(
        &self,
        flow: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<People> {
        let predicate = compile(condition, frame, 2, Within::Customer)?;
        let sql = format!("{NEVER}({})", predicate.sql);
        let asked = composed(sql, [Bind::Int(flow.into())], predicate.binds);
        let row = asked.fetch_one(self.read()).await?;
        Ok(People {
            customers: row.try_get::<i64>(0)?.unsigned_abs(),
            example: row.try_get(1)?,
        })
    }
}
