//! Owns interactions: the lines of a customer's history that are not dispatches, and the activity they show.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

use serde_json::json;

use super::db::Store;
use super::dialect::rows;
use super::dirty;
use super::error::Result;
use super::noting;
use super::sequences;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::touched::Touched;

/// A customer that was deleted meanwhile has no history to add to.
const INSERT: &str = concat!(
    "INSERT INTO interactions (bucket, customer_id, at, seq, kind, channel, campaign, flow, step, \
     actor, detail) SELECT c.bucket, c.customer_id, j.at, j.seq, j.kind, j.channel, j.campaign, \
     j.flow, j.step, j.actor, j.detail FROM ",
    rows!(id BIGINT 0, at BIGINT 1, seq BIGINT 2, kind BIGINT 3, channel BIGINT 4, campaign TEXT 5,
          flow TEXT 6, step TEXT 7, actor TEXT 8, detail TEXT 9),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id"
);

/// The same, leaving out what the history tells already.
const INSERT_NEW: &str = concat!(
    "INSERT INTO interactions (bucket, customer_id, at, seq, kind, channel, campaign, flow, step, \
     actor, detail) SELECT c.bucket, c.customer_id, j.at, j.seq, j.kind, j.channel, j.campaign, \
     j.flow, j.step, j.actor, j.detail FROM ",
    rows!(id BIGINT 0, at BIGINT 1, seq BIGINT 2, kind BIGINT 3, channel BIGINT 4, campaign TEXT 5,
          flow TEXT 6, step TEXT 7, actor TEXT 8, detail TEXT 9),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     AND NOT EXISTS (SELECT 1 FROM interactions AS i WHERE i.bucket = c.bucket \
     AND i.customer_id = c.customer_id AND i.at = j.at AND i.kind = j.kind \
     AND i.channel IS NOT DISTINCT FROM j.channel AND i.campaign IS NOT DISTINCT FROM j.campaign \
     AND i.flow IS NOT DISTINCT FROM j.flow AND i.step IS NOT DISTINCT FROM j.step) RETURNING seq"
);

/// Each instant moves forward only.
const ACTIVE: &str = concat!(
    "INSERT INTO activity (bucket, customer_id, last_activity_at, last_engagement_at, \
     last_transaction_at) SELECT c.bucket, c.customer_id, j.activity, j.engagement, j.dealing FROM ",
    rows!(id BIGINT 0, activity BIGINT 1, engagement BIGINT 2, dealing BIGINT 3),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id) DO UPDATE SET \
     last_activity_at = CASE WHEN activity.last_activity_at > excluded.last_activity_at \
       THEN activity.last_activity_at ELSE excluded.last_activity_at END, \
     last_engagement_at = CASE WHEN excluded.last_engagement_at IS NULL \
       OR activity.last_engagement_at > excluded.last_engagement_at \
       THEN activity.last_engagement_at ELSE excluded.last_engagement_at END, \
     last_transaction_at = CASE WHEN excluded.last_transaction_at IS NULL \
       OR activity.last_transaction_at > excluded.last_transaction_at \
       THEN activity.last_transaction_at ELSE excluded.last_transaction_at END"
);

pub(super) const STATEMENTS: &[&str] = &[INSERT, INSERT_NEW, ACTIVE];

impl Store {
    /// Records what happened to customers, with the activity it shows; unknown customers are passed over.
    pub async fn record(&self, interactions: &[Interaction]) -> Result<()> {
        if interactions.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        insert(&mut tx, interactions).await?;
        show(&mut tx, interactions).await?;
        tx.commit().await
    }
}

/// Writes those that the history does not tell yet (of the same customer, instant, kind, channel, campaign,
/// flow and step), with the activity they show; how many these were.
pub(super) async fn insert_new(tx: &mut Tx, interactions: &[Interaction]) -> Result<usize> {
    let mut seen = HashSet::new();
    let lines: Vec<&Interaction> = interactions
        .iter()
        .filter(|line| seen.insert(identity(line)))
        .collect();
    if lines.is_empty() {
        return Ok(0);
    }
    let first = sequences::take(tx, "interaction", lines.len()).await?;
    let rows: Vec<_> = lines.iter().copied().zip(first..).map(row).collect();
    let written: Vec<i64> = query_scalar(INSERT_NEW)
        .bind(json!(rows).to_string())
        .fetch_all(&mut *tx)
        .await?;
    let written: HashSet<i64> = written.into_iter().collect();
    let new = lines.into_iter().zip(first..);
    let new: Vec<_> = new.filter(|(_, seq)| written.contains(seq)).collect();
    noting::of_lines(tx, new.iter().copied()).await?;
    let new: Vec<Interaction> = new.into_iter().map(|(line, _)| line.clone()).collect();
    show(tx, &new).await?;
    Ok(new.len())
}

/// What tells one line from another, beside its words.
fn identity(line: &Interaction) -> impl Eq + Hash + use<> {
    let names = [&line.campaign, &line.flow, &line.step].map(Clone::clone);
    (line.customer, line.at, line.kind, line.channel, names)
}

/// What lines do beside standing in the history: activity, and another look by segments and exits.
pub(super) async fn show(tx: &mut Tx, interactions: &[Interaction]) -> Result<()> {
    active(tx, interactions).await?;
    let touched = interactions
        .iter()
        .map(|line| (line.customer, Touched::by_line(line.kind)));
    dirty::mark_each(tx, touched).await
}

/// Writes the lines, and what is to be told of them.
pub(super) async fn insert(tx: &mut Tx, interactions: &[Interaction]) -> Result<()> {
    if interactions.is_empty() {
        return Ok(());
    }
    let first = write(tx, interactions).await?;
    noting::of_lines(tx, interactions.iter().zip(first..)).await
}

/// Writes lines of which everything was told when they happened.
pub(super) async fn insert_told(tx: &mut Tx, interactions: &[Interaction]) -> Result<()> {
    if !interactions.is_empty() {
        write(tx, interactions).await?;
    }
    Ok(())
}

/// The number of the first.
async fn write(tx: &mut Tx, interactions: &[Interaction]) -> Result<i64> {
    let first = sequences::take(tx, "interaction", interactions.len()).await?;
    let rows: Vec<serde_json::Value> = interactions.iter().zip(first..).map(row).collect();
    query(INSERT)
        .bind(json!(rows).to_string())
        .execute(&mut *tx)
        .await?;
    Ok(first)
}

fn row((line, seq): (&Interaction, i64)) -> serde_json::Value {
    json!([
        line.customer.0,
        line.at.as_microsecond(),
        seq,
        line.kind.number(),
        line.channel.map(crate::domain::channel::Channel::number),
        line.campaign,
        line.flow,
        line.step,
        line.actor,
        line.detail.as_ref().map(ToString::to_string),
    ])
}

/// A customer's number, and the instants of its last activity, engagement and transaction.
pub(super) type ActivityRow = (i64, Option<i64>, Option<i64>, Option<i64>);

/// The latest activity, engagement and transaction of one customer, in microseconds.
#[derive(Default, Clone, Copy)]
struct Latest {
    activity: Option<i64>,
    engagement: Option<i64>,
    transaction: Option<i64>,
}

/// Moves the instants of activity that the lines show; changes of a record are none.
pub(super) async fn active(tx: &mut Tx, interactions: &[Interaction]) -> Result<()> {
    let mut latest: BTreeMap<CustomerId, Latest> = BTreeMap::new();
    for line in interactions.iter().filter(|line| line.kind.is_activity()) {
        let at = Some(line.at.as_microsecond());
        let of = latest.entry(line.customer).or_default();
        of.activity = of.activity.max(at);
        if line.kind.is_engagement() {
            of.engagement = of.engagement.max(at);
        }
        if line.kind == Kind::Transaction {
            of.transaction = of.transaction.max(at);
        }
    }
    if latest.is_empty() {
        return Ok(());
    }
    let rows: Vec<ActivityRow> = latest
        .iter()
        .map(|(id, of)| (id.0, of.activity, of.engagement, of.transaction))
        .collect();
    move_activity(tx, &rows).await
}

/// Moves instants of activity forward; never back.
pub(super) async fn move_activity(tx: &mut Tx, rows: &[ActivityRow]) -> Result<()> {
    query(ACTIVE)
        .bind(json!(rows).to_string())
        .execute(&mut *tx)
        .await?;
    Ok(())
}
