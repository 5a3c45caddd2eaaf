//! Owns messages that were to be tried again and are not, because their runs have ended.

use jiff::Timestamp;

use super::dialect::ids;
use super::error::Result;
use super::instants::micros;
use super::noting::{self, Message};
use super::sql::query;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::ids::{EnrollmentId, NameNo};
use crate::domain::webhook::Fate;

/// Withholds what was deferred.
macro_rules! close_deferred {
    ($more:literal) => {
        concat!(
            "UPDATE dispatches SET state = $2, reason = $3, at = $4 WHERE state = $5 \
             AND (bucket, enrollment_id) IN (SELECT k.bucket, k.id FROM ",
            ids!(),
            " AS k)",
            $more
        )
    };
}
const CLOSE_DEFERRED: &str = close_deferred!("");
const CLOSE_AND_TELL: &str = close_deferred!(" RETURNING enrollment_id, step, channel");

pub(super) const STATEMENTS: &[&str] = &[CLOSE_DEFERRED, CLOSE_AND_TELL];

/// Messages that were to be tried again are not, once their enrollments have ended.
pub(super) async fn close_deferred(
    tx: &mut Tx,
    ended: &[i64],
    reason: Reason,
    at: Timestamp,
) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let is_told = noting::is_told(tx, Fate::Withheld);
    let statement = if is_told {
        CLOSE_AND_TELL
    } else {
        CLOSE_DEFERRED
    };
    let closing = query(statement)
        .bind(serde_json::to_string(ended).unwrap_or_default())
        .bind(DispatchState::Withheld.number())
        .bind(reason.number())
        .bind(micros(at))
        .bind(DispatchState::Deferred.number());
    if !is_told {
        closing.execute(tx).await?;
        return Ok(());
    }
    let mut told = Vec::new();
    for row in &closing.fetch_all(&mut *tx).await? {
        let Some(channel) = Channel::from_number(row.try_get(2)?) else {
            continue;
        };
        told.push(Message {
            enrollment: EnrollmentId(row.try_get(0)?),
            step: NameNo(row.try_get(1)?),
            due: at,
            fate: Fate::Withheld,
            body: noting::said(channel, Some(reason)),
        });
    }
    noting::of_messages(tx, &told, at).await
}
