//! Owns who is in a segment: the difference between what is stored and what the condition says now.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::{BUCKETS, CustomerId, NameNo};
use crate::domain::segment::Condition;

use super::among::{Among, customers};
use super::bind::Bind;
use super::db::Store;
use super::dialect::ids;
use super::error::Result;
use super::instants::{instant, micros, optional_instant};
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::composed;
use super::sql::{Row, query};
use super::tx::Tx;

/// How far a segment has been examined, and under which definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentState {
    pub definition: String,
    pub examined_to: u16,
    /// The passing of time has been looked at up to this instant.
    pub watermark: Timestamp,
    /// When time alone moves somebody next, at the earliest; none: never.
    pub next_edge: Option<Timestamp>,
}

/// A segment as it is examined.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    pub segment: NameNo,
    pub condition: &'a Condition,
    pub frame: Frame<'a>,
    /// Since when new members are in it.
    pub joined_at: Timestamp,
}

/// What examining found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Difference {
    pub joined: u64,
    pub left: Vec<CustomerId>,
}

const STATES: &str =
    "SELECT segment, definition, examined_to, watermark, next_edge FROM segment_states";
const SAVE_STATE: &str = "INSERT INTO segment_states (segment, definition, examined_to, watermark, \
     next_edge) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (segment) DO UPDATE SET \
     definition = excluded.definition, examined_to = excluded.examined_to, \
     watermark = excluded.watermark, next_edge = excluded.next_edge";
const LEAVE: &str = concat!(
    "DELETE FROM memberships WHERE (bucket, segment, customer_id) IN \
     (SELECT k.bucket, CAST($2 AS BIGINT), k.id FROM ",
    ids!(),
    " AS k)"
);
/// Who leaves was in it: that is told in their history.
const REMEMBER: &str = concat!(
    "INSERT INTO past_memberships (bucket, customer_id, segment, joined_at, left_at) \
     SELECT m.bucket, m.customer_id, m.segment, m.joined_at, CAST($3 AS BIGINT) FROM ",
    ids!(),
    " AS k CROSS JOIN memberships AS m WHERE m.bucket = k.bucket \
     AND m.segment = CAST($2 AS BIGINT) AND m.customer_id = k.id \
     ON CONFLICT (bucket, customer_id, segment, joined_at) DO NOTHING"
);
const PRUNE: &str = "DELETE FROM past_memberships \
     WHERE (bucket, customer_id, segment, joined_at) IN \
     (SELECT bucket, customer_id, segment, joined_at FROM past_memberships \
     WHERE bucket BETWEEN 0 AND 1023 AND left_at < $1 LIMIT $2)";
const FORGET: &str = "DELETE FROM segment_states WHERE segment = $1";

const OF: &str = "SELECT n.name, m.joined_at FROM memberships AS m CROSS JOIN names AS n \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND n.number = m.segment ORDER BY n.name";

pub(super) const STATEMENTS: &[&str] = &[STATES, SAVE_STATE, LEAVE, REMEMBER, PRUNE, FORGET, OF];

impl Store {
    pub async fn segment_states(&self) -> Result<BTreeMap<NameNo, SegmentState>> {
        let rows = query(STATES).fetch_all(self.read()).await?;
        rows.iter()
            .map(|row| {
                let state = SegmentState {
                    definition: row.try_get(1)?,
                    examined_to: row.try_get(2)?,
                    watermark: instant(row.try_get(3)?)?,
                    next_edge: optional_instant(row.try_get(4)?)?,
                };
                Ok((NameNo(row.try_get(0)?), state))
            })
            .collect()
    }

    /// The segments of running flows that a customer is in, and since when.
    pub async fn segments_of(&self, customer: CustomerId) -> Result<Vec<(String, Timestamp)>> {
        let rows = query(OF)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .fetch_all(self.read())
            .await?;
        let read = |row: &Row| Ok((row.try_get(0)?, instant(row.try_get(1)?)?));
        rows.iter().map(read).collect()
    }

    /// Forgets who was in segments and left before this instant, at most `limit` times. How many.
    pub async fn prune_memberships(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let pruning = query(PRUNE).bind(micros(before)).bind(limit);
        let removed = pruning.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// A segment that no running flow uses is not kept up: used again, it is examined anew.
    pub async fn forget_segment(&self, segment: NameNo) -> Result<()> {
        let mut tx = self.write_leading(0..BUCKETS).await?;
        query(FORGET).bind(segment.0).execute(&mut tx).await?;
        tx.commit().await
    }
}

pub(super) async fn save_state(tx: &mut Tx, segment: NameNo, state: &SegmentState) -> Result<()> {
    query(SAVE_STATE)
        .bind(segment.0)
        .bind(&state.definition)
        .bind(i32::from(state.examined_to))
        .bind(micros(state.watermark))
        .bind(state.next_edge.map(micros))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Brings the stored members of a segment to what its condition says of these customers now.
pub(super) async fn examine(
    tx: &mut Tx,
    examined: &Examined<'_>,
    among: &Among<'_>,
) -> Result<Difference> {
    // First, because a segment that is examined for the first time has nobody who could leave.
    let left = leave(tx, examined, among).await?;
    let joined = join(tx, examined, among).await?;
    Ok(Difference { joined, left })
}

async fn join(tx: &mut Tx, examined: &Examined<'_>, among: &Among<'_>) -> Result<u64> {
    let predicate = compile(examined.condition, &examined.frame, 4, Within::Customer)?;
    let sql = format!(
        "INSERT INTO memberships (bucket, segment, customer_id, joined_at) \
         SELECT c.bucket, $2, c.customer_id, $3 FROM {from} WHERE {within} AND ({test}) \
         ON CONFLICT DO NOTHING",
        from = among.from("customers", "c"),
        within = among.within("c"),
        test = predicate.sql,
    );
    let own = [
        Bind::Text(among.bind()),
        Bind::Int(examined.segment.into()),
        Bind::Int(micros(examined.joined_at)),
    ];
    composed(sql, own, predicate.binds).execute(tx).await
}

async fn leave(tx: &mut Tx, examined: &Examined<'_>, among: &Among<'_>) -> Result<Vec<CustomerId>> {
    let predicate = compile(examined.condition, &examined.frame, 3, Within::Customer)?;
    let sql = format!(
        "SELECT @list(m.customer_id) FROM {from} WHERE {within} AND m.segment = $2 AND NOT EXISTS \
         (SELECT 1 FROM customers c WHERE c.bucket = m.bucket AND c.customer_id = m.customer_id \
         AND ({test}))",
        from = among.from("memberships", "m"),
        within = among.within("m"),
        test = predicate.sql,
    );
    let own = [Bind::Text(among.bind()), Bind::Int(examined.segment.into())];
    let answer = composed(sql, own, predicate.binds)
        .fetch_one(&mut *tx)
        .await?;
    let list: String = answer.try_get(0)?;
    let left = customers(&list)?;
    if !left.is_empty() {
        let remembering = query(REMEMBER).bind(&list).bind(examined.segment.0);
        let remembering = remembering.bind(micros(examined.frame.now));
        remembering.execute(&mut *tx).await?;
        let query = query(LEAVE).bind(list).bind(examined.segment.0);
        query.execute(&mut *tx).await?;
    }
    Ok(left)
}
