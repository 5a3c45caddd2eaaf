//! Owns settling: what a gateway answered becomes the dispatch's state, the customer's next step, and what follows from it.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::among::numbers;
use super::closing::close_deferred;
use super::devices;
use super::dialect::{ids, rows};
use super::dirty;
use super::dispatches;
use super::error::Result;
use super::fates;
use super::instants::micros;
use super::listing::json;
use super::moves::{Move, MoveRow, apply_moves};
use super::outcome_notices;
use super::outcomes::{Settled, SettledRow, mark_all, mark_standing, settled_row};
use super::receipts;
use super::sql::{query, query_scalar};
use super::suppressions;
use super::tx::{Care, Tx};
use super::uncertain;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::ExitReason;
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::touched::Touched;

const RETRY: &str = concat!(
    "UPDATE enrollments SET due = j.due FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2),
    " AS j WHERE enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
     AND enrollments.step = j.step AND enrollments.status = 2 RETURNING enrollment_id"
);
const ENDED_WHY: &str = concat!(
    "SELECT e.enrollment_id, e.exit_reason FROM ",
    ids!(),
    " AS k CROSS JOIN enrollments AS e WHERE e.bucket = k.bucket AND e.enrollment_id = k.id"
);
const ATTEMPT: &str = concat!(
    "INSERT INTO attempts (bucket, enrollment_id, step, attempt, at, state, detail) \
     SELECT j.id >> 48, j.id, j.step, j.attempt, $2, j.state, j.detail FROM ",
    rows!(id BIGINT 0, step BIGINT 1, attempt BIGINT 2, state BIGINT 4, detail TEXT 7),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step, attempt) DO NOTHING"
);
const FREEZE: &str = concat!(
    "INSERT INTO frozen_messages (bucket, enrollment_id, step, body) \
     SELECT j.id >> 48, j.id, j.step, j.body FROM ",
    rows!(id BIGINT 0, step BIGINT 1, body TEXT 2),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO NOTHING"
);
const ACTIVITY: &str = concat!(
    "INSERT INTO activity (bucket, customer_id, last_activity_at) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id) DO UPDATE \
     SET last_activity_at = excluded.last_activity_at \
     WHERE activity.last_activity_at < excluded.last_activity_at"
);
const SUPPRESS: &str = concat!(
    "INSERT INTO suppressions (bucket, channel, address, at, reason) \
     SELECT j.bucket, j.channel, j.address, $2, j.reason FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, address TEXT 2, reason TEXT 3),
    " AS j WHERE true ON CONFLICT (bucket, channel, address) DO NOTHING"
);

pub(super) const STATEMENTS: &[&str] = &[RETRY, ENDED_WHY, ATTEMPT, FREEZE, ACTIVITY, SUPPRESS];

/// Writes outcomes; those whose claims stand no longer are passed over. With `marks`, those who were
/// written to or whose run has ended are looked at again, because a segment asks about it. False, when not
/// every claim stood that had to.
pub(super) async fn settle(
    tx: &mut Tx,
    settled: &[Settled],
    marks: bool,
    now: Timestamp,
    care: Care,
) -> Result<bool> {
    if marks {
        // First, as whoever looks at marks locks them before it ends a run.
        dirty::mark_each(tx, settled.iter().filter_map(touched)).await?;
    }
    let mut settled: Vec<&Settled> = settled.iter().collect();
    match care {
        Care::Whole if mark_all(tx, &settled, now).await? => {}
        Care::Whole => return Ok(false),
        Care::Each => {
            let standing = mark_standing(tx, &settled, now).await?;
            settled.retain(|row| standing.contains(&row.enrollment));
        }
    }
    outcome_notices::of_outcomes(tx, &settled, now).await?;
    retry(tx, &settled, now).await?;
    let onward = |row: &&Settled| {
        let then = row.then.as_ref()?;
        Some(MoveRow::new(row.enrollment, row.step, None, then))
    };
    let moves: Vec<MoveRow> = settled.iter().filter_map(onward).collect();
    if !moves.is_empty() {
        apply_moves(tx, &moves, now).await?;
    }
    keep_rendered(tx, &settled).await?;
    list_uncertain(tx, &settled).await?;
    note_activity(tx, &settled, now).await?;
    suppress(tx, &settled, now).await?;
    pause(tx, &settled, now).await?;
    receipts::name(tx, &settled, (marks, now)).await?;
    let gone = settled.iter().flat_map(|row| &row.gone).copied();
    devices::forget(tx, &gone.collect::<Vec<_>>(), now).await?;
    Ok(true)
}

async fn retry(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<()> {
    let deferred: Vec<&Settled> = settled
        .iter()
        .filter(|row| row.settlement.state == DispatchState::Deferred)
        .copied()
        .collect();
    if deferred.is_empty() {
        return Ok(());
    }
    let attempts: Vec<SettledRow<'_>> = deferred.iter().map(|row| settled_row(row)).collect();
    query(ATTEMPT)
        .bind(json(&attempts))
        .bind(micros(now))
        .execute(&mut *tx)
        .await?;
    let rows: Vec<_> = deferred
        .iter()
        .map(|row| {
            let (enrollment, step) = row.key();
            (
                enrollment,
                step,
                micros(row.settlement.retry_at.unwrap_or(now)),
            )
        })
        .collect();
    let live: Vec<i64> = query_scalar(RETRY)
        .bind(json(&rows))
        .fetch_all(&mut *tx)
        .await?;
    let live: HashSet<i64> = live.into_iter().collect();
    let ended: Vec<i64> = rows
        .iter()
        .map(|row| row.0)
        .filter(|enrollment| !live.contains(enrollment))
        .collect();
    close_ended(tx, &ended, now).await
}

/// A deferred message whose enrollment ended meanwhile is not tried again.
async fn close_ended(tx: &mut Tx, ended: &[i64], now: Timestamp) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let rows = query(ENDED_WHY)
        .bind(json(ended))
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let enrollment: i64 = row.try_get(0)?;
        let why: Option<i64> = row.try_get(1)?;
        let why = why.and_then(ExitReason::from_number);
        let reason = why.map_or(Reason::FlowStopped, Reason::from);
        close_deferred(tx, &[enrollment], reason, now).await?;
    }
    Ok(())
}

async fn keep_rendered(tx: &mut Tx, settled: &[&Settled]) -> Result<()> {
    let mut kept = Vec::new();
    let mut thawed = Vec::new();
    for row in settled {
        let (enrollment, step) = row.key();
        let awaited = matches!(
            row.settlement.state,
            DispatchState::Deferred | DispatchState::Uncertain
        );
        match &row.frozen {
            Some(body) if awaited => kept.push((enrollment, step, body)),
            _ if row.attempt > 1 => thawed.push(row.key()),
            _ => {}
        }
    }
    if !kept.is_empty() {
        query(FREEZE).bind(json(&kept)).execute(&mut *tx).await?;
    }
    dispatches::thaw(tx, &thawed).await
}

async fn list_uncertain(tx: &mut Tx, settled: &[&Settled]) -> Result<()> {
    let is_uncertain = |row: &&&Settled| row.settlement.state == DispatchState::Uncertain;
    let rows = settled.iter().filter(is_uncertain);
    let rows = rows.map(|row| (row.enrollment.0, row.step.0, row.channel.number()));
    uncertain::add(tx, &rows.collect::<Vec<_>>()).await
}

/// What an outcome changed of its customer, if anything that a condition can ask about.
fn touched(row: &Settled) -> Option<(CustomerId, Touched)> {
    let mut what = Touched::NOTHING;
    if row.is_handed_over() {
        what |= Touched::ACTIVITY | Touched::DISPATCHES;
    }
    if row.then.is_some_and(Move::ends) {
        what |= Touched::IN_FLOW;
    }
    (what != Touched::NOTHING).then_some((row.customer, what))
}

async fn note_activity(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<()> {
    let handed_over = settled.iter().filter(|row| row.is_handed_over());
    // Each once: a server refuses to update a row twice in one statement.
    let active: BTreeSet<CustomerId> = handed_over.map(|row| row.customer).collect();
    if active.is_empty() {
        return Ok(());
    }
    let active: Vec<CustomerId> = active.into_iter().collect();
    let rows = numbers(&active);
    query(ACTIVITY)
        .bind(rows)
        .bind(micros(now))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// A channel whose messages a policy turns away is paused, until a person has seen to it.
async fn pause(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<()> {
    let turned_away = settled.iter().filter(|row| row.settlement.pauses_channel);
    for row in turned_away {
        fates::pause_for_policy(tx, row.channel, &row.settlement.detail, now).await?;
    }
    Ok(())
}

async fn suppress(tx: &mut Tx, settled: &[&Settled], now: Timestamp) -> Result<()> {
    let rows: Vec<_> = settled
        .iter()
        .filter(|row| row.settlement.suppresses_address && !row.address.is_empty())
        .map(|row| {
            let address = suppressions::key(&row.address);
            let bucket = Bucket::of(&address).0;
            (
                bucket,
                row.channel.number(),
                address,
                &row.settlement.detail,
            )
        })
        .collect();
    if !rows.is_empty() {
        query(SUPPRESS)
            .bind(json(&rows))
            .bind(micros(now))
            .execute(&mut *tx)
            .await?;
        suppressions::touch(tx).await?;
    }
    Ok(())
}
