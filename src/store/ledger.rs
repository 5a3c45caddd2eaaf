//! Owns the ledger of dispatches as people list it: newest first, narrowed by state, flow and customer.

use jiff::Timestamp;

use super::db::Store;
use super::error::{Error, Result};
use super::instants::{instant, micros};
use super::sql::{Row, query};
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo};

/// Each condition is open where its bind is NULL.
const LIST: &str = "@everywhere(people)SELECT d.enrollment_id, d.step, c.external_id, f.name, s.name, d.channel, \
     d.state, d.reason, d.attempt, d.at, d.detail FROM dispatches AS d \
     CROSS JOIN enrollments AS e CROSS JOIN customers AS c CROSS JOIN names AS f \
     CROSS JOIN names AS s WHERE d.bucket BETWEEN 0 AND 1023 AND e.bucket = d.bucket \
     AND e.enrollment_id = d.enrollment_id AND c.bucket = e.bucket \
     AND c.customer_id = e.customer_id AND f.number = e.flow AND s.number = d.step \
     AND (CAST($1 AS BIGINT) IS NULL OR d.state = $1) \
     AND (CAST($2 AS BIGINT) IS NULL OR e.flow = $2) \
     ORDER BY d.at DESC, d.enrollment_id, d.step LIMIT $3";
const OF_CUSTOMER: &str = "SELECT d.enrollment_id, d.step, c.external_id, f.name, s.name, \
     d.channel, d.state, d.reason, d.attempt, d.at, d.detail FROM enrollments AS e \
     CROSS JOIN dispatches AS d CROSS JOIN customers AS c CROSS JOIN names AS f \
     CROSS JOIN names AS s WHERE e.bucket = $4 AND e.customer_id = $5 AND d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND c.bucket = e.bucket \
     AND c.customer_id = e.customer_id AND f.number = e.flow AND s.number = d.step \
     AND (CAST($1 AS BIGINT) IS NULL OR d.state = $1) \
     AND (CAST($2 AS BIGINT) IS NULL OR e.flow = $2) \
     ORDER BY d.at DESC, d.enrollment_id, d.step LIMIT $3";

pub(super) const STATEMENTS: &[&str] = &[LIST, OF_CUSTOMER];

/// Which dispatches to list; what is not named is not narrowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    pub state: Option<DispatchState>,
    pub flow: Option<NameNo>,
    pub customer: Option<CustomerId>,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    pub enrollment: EnrollmentId,
    pub step_number: NameNo,
    /// The customer's unique id.
    pub customer: String,
    pub flow: String,
    pub step: String,
    pub channel: Option<Channel>,
    pub state: DispatchState,
    pub reason: Option<Reason>,
    pub attempts: u32,
    pub at: Timestamp,
    /// The gateway's own words.
    pub detail: Option<String>,
}

/// Where a line stands among others: instant in microseconds, enrollment, step.
pub type LedgerPlace = (i64, i64, i32);

impl LedgerLine {
    pub fn place(&self) -> LedgerPlace {
        (micros(self.at), self.enrollment.0, self.step_number.0)
    }
}

impl Store {
    /// The latest dispatches that the filter names, newest first.
    pub async fn ledger(&self, filter: &LedgerFilter, limit: u32) -> Result<Vec<LedgerLine>> {
        let (statement, customer) = match filter.customer {
            Some(customer) => (OF_CUSTOMER, Some(customer)),
            None => (LIST, None),
        };
        let mut query = query(statement)
            .bind(filter.state.map(DispatchState::number))
            .bind(filter.flow.map(|flow| flow.0))
            .bind(limit);
        if let Some(customer) = customer {
            query = query.bind(i64::from(customer.bucket().0)).bind(customer.0);
        }
        let rows = query.fetch_all(self.read()).await?;
        rows.iter().map(line).collect()
    }
}

pub(super) fn line(row: &Row) -> Result<LedgerLine> {
    let state: i64 = row.try_get(6)?;
    let step = row.text(4)?;
    let reason: Option<i64> = row.try_get(7)?;
    Ok(LedgerLine {
        enrollment: EnrollmentId(row.try_get(0)?),
        step_number: NameNo(row.try_get(1)?),
        customer: row.try_get(2)?,
        flow: row.try_get(3)?,
        step: step.rsplit('/').next().unwrap_or(step).to_owned(),
        channel: Channel::from_number(row.try_get(5)?),
        state: DispatchState::from_number(state)
            .ok_or_else(|| Error::Corrupt(format!("the unknown state {state}")))?,
        reason: reason.and_then(Reason::from_number),
        attempts: row.try_get(8)?,
        at: instant(row.try_get(9)?)?,
        detail: row.try_get(10)?,
    })
}
