//! Owns looking again: at all of a segment, at those who may enter once more.

use jiff::Timestamp;

use super::among::{Among, numbers};
use super::bind::Bind;
use super::db::Store;
use super::dialect::{ids, rows};
use super::dirty::again;
use super::enrollments::{self, Entering};
use super::error::Result;
use super::holding::Holding;
use super::instants::micros;
use super::nodes::Grip;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::composed;
use super::sql::query;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo};
use crate::domain::segment::Condition;
use crate::domain::touched::Touched;

const REST: &str = concat!(
    "UPDATE enrollments SET due = NULL WHERE status >= 10 AND (bucket, enrollment_id) IN \
     (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);

const LOOK_AGAIN: &str = concat!(
    "UPDATE enrollments SET due = j.due FROM ",
    rows!(id BIGINT 0, due BIGINT 1),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.status >= 10"
);

pub(super) const STATEMENTS: &[&str] = &[LOOK_AGAIN, REST];

impl Store {
    /// Marks everybody whose stored membership is not what the condition says; how many they are.
    pub async fn mark_differences(
        &self,
        segment: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let predicate = compile(condition, frame, 2, Within::Customer)?;
        let sql = marking(&format!(
            "FROM customers AS c LEFT JOIN memberships AS m ON m.bucket = c.bucket \
             AND m.segment = $1 AND m.customer_id = c.customer_id \
             WHERE c.bucket BETWEEN 0 AND 1023 \
             AND (m.customer_id IS NOT NULL) <> coalesce(({}), false)",
            predicate.sql
        ));
        let mut tx = self.write_leading(0..0).await?;
        let own = vec![Bind::Int(segment.into())];
        let differences = composed(sql, own, predicate.binds).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(differences)
    }

    /// Ended enrollments whose customers may enter once more come up again then.
    pub async fn look_again(&self, later: &[(EnrollmentId, Timestamp)]) -> Result<()> {
        if later.is_empty() {
            return Ok(());
        }
        let buckets = later.iter().map(|(id, _)| id.bucket());
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Shared).await?;
        let rows: Vec<_> = later
            .iter()
            .filter(|(id, _)| !lost.contains(&id.bucket()))
            .map(|(id, at)| (id.0, micros(*at)))
            .collect();
        query(LOOK_AGAIN)
            .bind(serde_json::to_string(&rows).unwrap_or_default())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Enrolls those of these customers who may enter once more, and takes their ended enrollments
    /// out of the due index. None entering: nobody may.
    pub async fn reenter(
        &self,
        entering: Option<&Entering<'_>>,
        customers: &[CustomerId],
        ended: &[EnrollmentId],
    ) -> Result<u64> {
        let buckets = ended.iter().map(|id| id.bucket());
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Alone).await?;
        let customers = customers.iter().copied();
        let customers: Vec<_> = customers
            .filter(|id| !lost.contains(&id.bucket()))
            .collect();
        let enrolled = match entering {
            Some(entering) => {
                enrollments::enroll(&mut tx, entering, &Among::Customers(&customers)).await?
            }
            None => 0,
        };
        let ended = ended.iter().filter(|id| !lost.contains(&id.bucket()));
        let ended: Vec<CustomerId> = ended.map(|id| CustomerId(id.0)).collect();
        query(REST).bind(numbers(&ended)).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(enrolled)
    }
}

fn marking(customers: &str) -> String {
    format!(
        "INSERT INTO dirty (bucket, customer_id, mark, what) \
         SELECT c.bucket, c.customer_id, 1, {what} {customers}{again}",
        what = Touched::EVERYTHING.bits(),
        again = again!(),
    )
}
