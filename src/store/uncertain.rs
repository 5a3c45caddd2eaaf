//! Owns messages of which nobody knows whether their gateway took them: found, and settled by a person.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use super::db::Store;
use super::dialect::rows;
use super::error::{Error, Result};
use super::fates;
use super::hearing::{self, Addresses, Hearing, Told};
use super::ledger::{self, LedgerLine, LedgerPlace};
use super::listing::json as text_of;
use super::outcomes::Settled;
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::DispatchId;
use crate::domain::news::Fate;

const ADD: &str = concat!(
    "INSERT INTO uncertain (bucket, enrollment_id, step, channel) \
     SELECT j.id >> 48, j.id, j.step, j.channel FROM ",
    rows!(id BIGINT 0, step BIGINT 1, channel BIGINT 2),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO NOTHING"
);
const REMOVE: &str = concat!(
    "DELETE FROM uncertain WHERE (bucket, enrollment_id, step) IN \
     (SELECT j.id >> 48, j.id, j.step FROM ",
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j)"
);
const LIST: &str = "@everywhere(people)SELECT d.enrollment_id, d.step, c.external_id, f.name, s.name, \
     d.channel, d.state, d.reason, d.attempt, d.at, d.detail FROM uncertain AS u \
     CROSS JOIN dispatches AS d CROSS JOIN enrollments AS e CROSS JOIN customers AS c \
     CROSS JOIN names AS f CROSS JOIN names AS s WHERE u.bucket BETWEEN 0 AND 1023 \
     AND d.bucket = u.bucket AND d.enrollment_id = u.enrollment_id AND d.step = u.step \
     AND d.state = 8 AND e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     AND c.bucket = e.bucket AND c.customer_id = e.customer_id AND f.number = e.flow \
     AND s.number = d.step AND (CAST($1 AS BIGINT) IS NULL OR u.channel = $1) \
     AND (d.at, d.enrollment_id, d.step) > ($2, $3, $4) \
     ORDER BY d.at, d.enrollment_id, d.step LIMIT $5";

pub(super) const STATEMENTS: &[&str] = &[ADD, REMOVE, LIST];

/// What somebody says of an uncertain message.
#[derive(Debug, Clone, Copy)]
pub struct Resolving<'a> {
    /// Whether the gateway took it.
    pub taken: bool,
    /// How they know.
    pub note: Option<&'a str>,
    pub by: &'a By,
    /// Whether a segment asks what was sent.
    pub marks: bool,
    pub now: Timestamp,
}

/// Where a dispatch stands after it was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    pub state: DispatchState,
    /// Whether it was uncertain; otherwise it stays as it was.
    pub changed: bool,
}

impl Store {
    /// Those that wait longest first, after a place in this order; of one channel, or of all.
    pub async fn uncertain(
        &self,
        channel: Option<Channel>,
        after: Option<LedgerPlace>,
        limit: u32,
    ) -> Result<Vec<LedgerLine>> {
        let (at, enrollment, step) = after.unwrap_or((i64::MIN, i64::MIN, i32::MIN));
        let query = query(LIST)
            .bind(channel.map(Channel::number))
            .bind(at)
            .bind(enrollment)
            .bind(step)
            .bind(limit);
        let rows = query.fetch_all(self.read()).await?;
        rows.iter().map(ledger::line).collect()
    }

    /// Settles an uncertain dispatch, with a line in the history and one in the audit. One that is not
    /// uncertain, or not any more, stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a dispatch that this store does not have.
    pub async fn resolve(&self, id: DispatchId, how: &Resolving<'_>) -> Result<Resolved> {
        let missing = || Error::NotFound(format!("the dispatch `{id}`"));
        if !id.is_of(self.instance_tag().await?) {
            return Err(missing());
        }
        let (enrollment, step) = (id.enrollment(), id.step());
        let bucket = BTreeSet::from([enrollment.bucket()]);
        let mut tx = self.write_alone(bucket).await?;
        let key = BTreeSet::from([(enrollment.0, step.0)]);
        let standing = hearing::read(&mut tx, &key).await?.into_values().next();
        let standing = standing.ok_or_else(missing)?;
        if standing.state != DispatchState::Uncertain {
            return Ok(Resolved {
                state: standing.state,
                changed: false,
            });
        }
        let fate = if how.taken {
            Fate::Accepted
        } else {
            Fate::Failed
        };
        let told = Told {
            enrollment,
            step,
            fate,
            at: None,
            detail: how.note.unwrap_or_default().to_owned(),
        };
        let hearing = Hearing {
            channel: None,
            addresses: Addresses::Known(HashMap::new()),
            by: Some(&how.by.actor),
            believes_policy: false,
            marks: how.marks,
            now: how.now,
        };
        fates::apply(&mut tx, &[told], &hearing).await?;
        let detail = json!({ "dispatch": id.to_string(), "taken": how.taken, "note": how.note });
        let detail = detail.to_string();
        audit::add(
            &mut tx,
            how.by,
            "uncertain resolved",
            Some(&detail),
            how.now,
        )
        .await?;
        tx.commit().await?;
        Ok(Resolved {
            state: standing.heard.with(fate).standing(standing.state),
            changed: true,
        })
    }
}

/// Lists those of these that came to nothing certain.
pub(super) async fn add(tx: &mut Tx, settled: &[&Settled]) -> Result<()> {
    let is_uncertain = |row: &&&Settled| row.settlement.state == DispatchState::Uncertain;
    let rows = settled.iter().filter(is_uncertain);
    let rows = rows.map(|row| (row.enrollment.0, row.step.0, row.channel.number()));
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        query(ADD).bind(text_of(&rows)).execute(tx).await?;
    }
    Ok(())
}

/// What is certain now is listed no more.
pub(super) async fn remove(tx: &mut Tx, keys: &[(i64, i32)]) -> Result<()> {
    if !keys.is_empty() {
        query(REMOVE).bind(text_of(&keys)).execute(tx).await?;
    }
    Ok(())
}
