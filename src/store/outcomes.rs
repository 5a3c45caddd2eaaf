//! Owns outcomes: what each claim came to, and the new state of its dispatch, if the claim still stands.

use std::collections::HashSet;

use jiff::Timestamp;

use super::dialect::rows;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::moves::Move;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason, Settlement};
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, NameNo};

/// The outcome of one claim, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub enrollment: EnrollmentId,
    pub customer: CustomerId,
    pub step: NameNo,
    pub channel: Channel,
    pub attempt: u32,
    /// Of the claim that is settled; another start's claim is left alone.
    pub incarnation: Incarnation,
    pub settlement: Settlement,
    /// For `Withheld`.
    pub reason: Option<Reason>,
    /// Where the customer goes, when the step is finished.
    pub then: Option<Move>,
    /// The rendered message, kept while a retry or an answer is awaited.
    pub frozen: Option<String>,
    /// The address, to be suppressed when the settlement says so.
    pub address: String,
}

impl Settled {
    pub(super) fn key(&self) -> (i64, i32) {
        (self.enrollment.0, self.step.0)
    }

    /// Handed over, and nothing more to say.
    fn is_plain(&self) -> bool {
        self.is_handed_over() && self.settlement.gateway_id.is_none() && self.reason.is_none()
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.settlement.state == DispatchState::Accepted
    }
}

/// Writes the new state of every claim that still stands.
macro_rules! settle {
    () => {
        concat!(
            "UPDATE dispatches SET state = j.state, reason = j.reason, gateway_id = j.gateway_id, \
             detail = j.detail, at = $2 FROM ",
            rows!(id BIGINT 0, step BIGINT 1, attempt BIGINT 2, incarnation BIGINT 3, state BIGINT 4,
                  reason BIGINT 5, gateway_id TEXT 6, detail TEXT 7),
            " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
             AND dispatches.step = j.step AND dispatches.attempt = j.attempt \
             AND dispatches.incarnation = j.incarnation AND dispatches.state = 0"
        )
    };
}

/// The same for what this start handed over without more to say: most goes well.
const ACCEPTED: &str = concat!(
    "UPDATE dispatches SET state = $2, reason = NULL, gateway_id = NULL, detail = NULL, at = $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, attempt BIGINT 2),
    " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
     AND dispatches.step = j.step AND dispatches.attempt = j.attempt \
     AND dispatches.incarnation = $3 AND dispatches.state = 0"
);
const SETTLE: &str = settle!();
const SETTLE_SOME: &str = concat!(settle!(), " RETURNING enrollment_id");
pub(super) const STATEMENTS: &[&str] = &[ACCEPTED, SETTLE, SETTLE_SOME];

/// Enrollment, step, attempt, incarnation, state, reason, gateway id, detail.
pub(super) type SettledRow<'a> = (
    i64,
    i32,
    u32,
    i64,
    i64,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
);

pub(super) fn settled_row(row: &Settled) -> SettledRow<'_> {
    let (enrollment, step) = row.key();
    // What went well needs no words: a million accepted messages would keep a million "250 ok".
    let detail = (!row.is_handed_over()).then_some(row.settlement.detail.as_str());
    (
        enrollment,
        step,
        row.attempt,
        row.incarnation.0,
        row.settlement.state.number(),
        row.reason.map(Reason::number),
        row.settlement.gateway_id.as_deref(),
        detail.filter(|detail| !detail.is_empty()),
    )
}

/// Writes the new states; whether every claim still stood.
pub(super) async fn mark_all(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<bool> {
    let Some(incarnation) = settled.first().map(|row| row.incarnation) else {
        return Ok(true);
    };
    let is_plain = |row: &Settled| row.is_plain() && row.incarnation == incarnation;
    let (plain, others): (Vec<&Settled>, Vec<&Settled>) =
        settled.iter().copied().partition(|row| is_plain(row));
    let mut marked = 0;
    if !plain.is_empty() {
        let rows: Vec<_> = plain
            .iter()
            .map(|row| (row.enrollment.0, row.step.0, row.attempt))
            .collect();
        let query = query(ACCEPTED)
            .bind(json(&rows))
            .bind(DispatchState::Accepted.number())
            .bind(incarnation.0)
            .bind(micros(now));
        marked += query.execute(&mut *tx).await?;
    }
    if !others.is_empty() {
        let query = query(SETTLE).bind(settled_rows(&others)).bind(micros(now));
        marked += query.execute(&mut *tx).await?;
    }
    Ok(marked == settled.len() as u64)
}

/// Writes the new states of the claims that still stand; which those are.
pub(super) async fn mark_standing(
    tx: &mut Tx,
    settled: &[&Settled],
    now: Timestamp,
) -> Result<HashSet<EnrollmentId>> {
    let standing: Vec<i64> = query_scalar(SETTLE_SOME)
        .bind(settled_rows(settled))
        .bind(micros(now))
        .fetch_all(&mut *tx)
        .await?;
    Ok(standing.into_iter().map(EnrollmentId).collect())
}

fn settled_rows(settled: &[&Settled]) -> String {
    let rows: Vec<SettledRow<'_>> = settled.iter().map(|row| settled_row(row)).collect();
    json(&rows)
}
