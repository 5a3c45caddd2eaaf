//! Owns outcomes: what each claim came to, and the new state of its dispatch, if the claim still stands.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::devices::GoneDevice;
use super::dialect::rows;
use super::error::Result;
use super::fates;
use super::instants::micros;
use super::listing::json;
use super::moves::Move;
use super::sql::query;
use super::suppressions;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason, Settlement};
use crate::domain::gateway::Receipts;
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
    /// The address, to be suppressed when the settlement says so, or a receipt does.
    pub address: String,
    /// What may be told of the message later.
    pub receipts: Receipts,
    /// Devices that their provider does not know any more.
    pub gone: Vec<GoneDevice>,
}

impl Settled {
    pub(super) fn key(&self) -> (i64, i32) {
        (self.enrollment.0, self.step.0)
    }

    /// Handed over, and nothing more to say.
    fn is_plain(&self) -> bool {
        let says_nothing = self.settlement.gateway_id.is_none()
            && self.gone.is_empty()
            && self.receipts == Receipts::None;
        self.is_handed_over() && says_nothing && self.reason.is_none()
    }

    /// By what a receipt knows the address again.
    fn address_hash(&self) -> Option<i64> {
        let is_told = self.receipts != Receipts::None && !self.address.is_empty();
        is_told.then(|| suppressions::hash(&self.address))
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
             detail = j.detail, at = $2, \
             address_hash = coalesce(j.address_hash, dispatches.address_hash) FROM ",
            rows!(id BIGINT 0, step BIGINT 1, attempt BIGINT 2, incarnation BIGINT 3, state BIGINT 4,
                  reason BIGINT 5, gateway_id TEXT 6, detail TEXT 7, address_hash BIGINT 8),
            " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
             AND dispatches.step = j.step AND dispatches.attempt = j.attempt \
             AND dispatches.incarnation = j.incarnation AND dispatches.state = 0 \
             RETURNING enrollment_id, dispatches.step, dispatches.heard"
        )
    };
}

/// The same for what this start handed over without more to say: most goes well. Of what something was
/// heard already, more is to be said.
const ACCEPTED: &str = concat!(
    "UPDATE dispatches SET state = $2, reason = NULL, gateway_id = NULL, detail = NULL, at = $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, attempt BIGINT 2),
    " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
     AND dispatches.step = j.step AND dispatches.attempt = j.attempt \
     AND dispatches.incarnation = $3 AND dispatches.state = 0 AND dispatches.heard = 0"
);
const SETTLE: &str = settle!();
pub(super) const STATEMENTS: &[&str] = &[ACCEPTED, SETTLE];

/// Enrollment, step, attempt, incarnation, state, reason, gateway id, detail, address.
pub(super) type SettledRow<'a> = (
    i64,
    i32,
    u32,
    i64,
    i64,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
    Option<i64>,
);

pub(super) fn settled_row(row: &Settled) -> SettledRow<'_> {
    let (enrollment, step) = row.key();
    // What went well needs no words: a million accepted messages would keep a million "250 ok".
    let speaks = !row.is_handed_over() || !row.gone.is_empty();
    let detail = speaks.then_some(row.settlement.detail.as_str());
    (
        enrollment,
        step,
        row.attempt,
        row.incarnation.0,
        row.settlement.state.number(),
        row.reason.map(Reason::number),
        row.settlement.gateway_id.as_deref(),
        detail.filter(|detail| !detail.is_empty()),
        row.address_hash(),
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
        marked += settle_each(tx, &others, now).await?.len() as u64;
    }
    Ok(marked == settled.len() as u64)
}

/// Writes the new states of the claims that still stand; which those are.
pub(super) async fn mark_standing(
    tx: &mut Tx,
    settled: &[&Settled],
    now: Timestamp,
) -> Result<HashSet<EnrollmentId>> {
    let standing = settle_each(tx, settled, now).await?;
    Ok(standing.into_iter().map(EnrollmentId).collect())
}

/// The enrollments whose claims stood. What was heard of a message before it was settled counts.
async fn settle_each(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<Vec<i64>> {
    let query = query(SETTLE).bind(settled_rows(settled)).bind(micros(now));
    let rows = query.fetch_all(&mut *tx).await?;
    let (mut standing, mut heard) = (Vec::with_capacity(rows.len()), BTreeSet::new());
    for row in &rows {
        let enrollment = row.try_get(0)?;
        standing.push(enrollment);
        let bits: i64 = row.try_get(2)?;
        if bits != 0 {
            heard.insert((enrollment, row.try_get(1)?));
        }
    }
    fates::refold(tx, &heard).await?;
    Ok(standing)
}

fn settled_rows(settled: &[&Settled]) -> String {
    let rows: Vec<SettledRow<'_>> = settled.iter().map(|row| settled_row(row)).collect();
    json(&rows)
}
