//! Owns what places of others are still to be told, and what came of telling it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::db::Store;
use super::dialect::rows;
use super::error::{Error, Result};
use super::holding::Holding;
use super::instants::{instant, micros};
use super::listing::json as text_of;
use super::nodes::Grip;
use super::sql::{Row, query};
use super::webhooks::{self, Taking};
use crate::domain::ids::{Bucket, CustomerId, EnrollmentId, NameNo, Stripes};
use crate::domain::webhook::Event;

const DUE: &str = "@everywhere(waiting)SELECT n.customer_id, n.fact, n.event, n.at, n.tries, \
     n.body, n.enrollment_id, n.step, c.external_id, s.name FROM notices AS n \
     LEFT JOIN customers AS c ON c.bucket = n.bucket AND c.customer_id = n.customer_id \
     LEFT JOIN names AS s ON s.number = n.step \
     WHERE n.bucket BETWEEN $1 AND $2 AND n.webhook = $3 AND n.due <= $4 \
     ORDER BY n.due, n.at LIMIT $5";
const DONE: &str = concat!(
    "DELETE FROM notices WHERE (bucket, customer_id, fact, webhook) IN \
     (SELECT j.id >> 48, j.id, j.fact, j.webhook FROM ",
    rows!(id BIGINT 0, fact TEXT 1, webhook BIGINT 2),
    " AS j)"
);
const AGAIN: &str = concat!(
    "UPDATE notices SET due = j.due, tries = j.tries FROM ",
    rows!(id BIGINT 0, fact TEXT 1, webhook BIGINT 2, due BIGINT 3, tries BIGINT 4),
    " AS j WHERE notices.bucket = j.id >> 48 AND notices.customer_id = j.id \
     AND notices.fact = j.fact AND notices.webhook = j.webhook"
);

pub(super) const STATEMENTS: &[&str] = &[DUE, DONE, AGAIN];

/// Something that a place is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Number 0: it is about nobody.
    pub customer: CustomerId,
    /// The customer's own id; none, when they were deleted meanwhile.
    pub external_id: Option<String>,
    /// The same fact has the same text, whoever tells it and however often.
    pub fact: String,
    pub event: Event,
    pub at: Timestamp,
    pub tries: u32,
    /// Of a message: its enrollment, its step, and the step's name as `flow/step`.
    pub message: Option<(EnrollmentId, NameNo, String)>,
    /// What else is told.
    pub body: Map<String, Value>,
}

impl Notice {
    /// Whether there is still somebody that it is about.
    pub fn stands(&self) -> bool {
        self.customer.0 == 0 || self.external_id.is_some()
    }
}

/// What came of telling something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Taken, given up, or about nobody any more: it is forgotten.
    Done,
    /// Not taken: when it is tried again, and how often it was.
    Again { due: Timestamp, tries: u32 },
}

impl Store {
    /// At most so many notices of the stripes that are due for a place, those that wait longest first.
    pub async fn due_notices(
        &self,
        webhook: i32,
        stripes: &Stripes,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Notice>> {
        let mut due = Vec::new();
        for buckets in stripes.ranges() {
            let rows = query(DUE)
                .bind(*buckets.start())
                .bind(*buckets.end())
                .bind(webhook)
                .bind(micros(now))
                .bind(most)
                .fetch_all(self.read())
                .await?;
            for row in &rows {
                due.extend(notice(row)?);
            }
        }
        due.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(due)
    }

    /// Writes what came of telling a place. What another node has by now is left to it.
    pub async fn settle_notices(
        &self,
        webhook: i32,
        told: &[(CustomerId, String, Told)],
        taking: &Taking,
        now: Timestamp,
    ) -> Result<()> {
        let buckets: BTreeSet<Bucket> = told.iter().map(|one| one.0.bucket()).collect();
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Shared).await?;
        let (mut done, mut again) = (Vec::new(), Vec::new());
        for (customer, fact, told) in told.iter().filter(|one| !lost.contains(&one.0.bucket())) {
            match told {
                Told::Done => done.push((customer.0, fact, webhook)),
                Told::Again { due, tries } => {
                    again.push((customer.0, fact, webhook, micros(*due), tries));
                }
            }
        }
        for (statement, rows, count) in [
            (DONE, text_of(&done), done.len()),
            (AGAIN, text_of(&again), again.len()),
        ] {
            if count > 0 {
                query(statement).bind(rows).execute(&mut tx).await?;
            }
        }
        webhooks::stand(&mut tx, webhook, taking, now).await?;
        tx.commit().await?;
        if taking.rests {
            self.learn_wants().await?;
        }
        Ok(())
    }
}

fn notice(row: &Row) -> Result<Option<Notice>> {
    let number: i64 = row.try_get(2)?;
    // A later version may know more.
    let Some(event) = Event::from_number(number) else {
        return Ok(None);
    };
    let body = serde_json::from_str(row.text(5)?)
        .map_err(|error| Error::Corrupt(format!("the body of a notice: {error}")))?;
    let enrollment: Option<i64> = row.try_get(6)?;
    let step: Option<i32> = row.try_get(7)?;
    let name: Option<String> = row.try_get(9)?;
    let message = enrollment.zip(step);
    Ok(Some(Notice {
        customer: CustomerId(row.try_get(0)?),
        external_id: row.try_get(8)?,
        fact: row.try_get(1)?,
        event,
        at: instant(row.try_get(3)?)?,
        tries: row.try_get(4)?,
        message: message.map(|(enrollment, step)| {
            let name = name.unwrap_or_default();
            (EnrollmentId(enrollment), NameNo(step), name)
        }),
        body,
    }))
}
