//! Owns recording what senders tell: each occurrence once, whatever is sent again, by their own ids.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::db::Store;
use super::dialect::{listed, rows};
use super::dismissals;
use super::environments;
use super::error::Result;
use super::instants::micros;
use super::interactions;
use super::listing::{json, listed};
use super::nps;
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::Source;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::occurrence::Placed;

/// The keys that were not there; somebody who was deleted meanwhile has none.
const TAKE: &str = concat!(
    "INSERT INTO interaction_keys (bucket, customer_id, key, at) \
     SELECT c.bucket, c.customer_id, j.key, CAST($2 AS BIGINT) FROM ",
    rows!(id BIGINT 0, key BIGINT 1),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id, key) DO NOTHING RETURNING customer_id, key"
);
const OF: &str = concat!(
    listed!("i.key, i.at"),
    "interaction_keys AS i WHERE i.bucket = $1 AND i.customer_id = $2"
);
const CARRY: &str = concat!(
    "INSERT INTO interaction_keys (bucket, customer_id, key, at) \
     SELECT j.id >> 48, j.id, j.key, j.at FROM ",
    rows!(id BIGINT 0, key BIGINT 1, at BIGINT 2),
    " AS j WHERE true ON CONFLICT (bucket, customer_id, key) DO NOTHING"
);
const PRUNE: &str = "DELETE FROM interaction_keys WHERE (bucket, customer_id, key) IN \
     (SELECT bucket, customer_id, key FROM interaction_keys WHERE bucket BETWEEN 0 AND 1023 \
     AND at < $1 LIMIT $2)";

pub(super) const STATEMENTS: &[&str] = &[TAKE, OF, CARRY, PRUNE];

/// By which way they come, as of when, and whether nothing is to stay written.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    pub source: Source,
    pub now: Timestamp,
    pub is_trial: bool,
}

impl Store {
    /// Records those that were not recorded before, in one transaction, with everything that they do:
    /// activity, dismissals, the latest answer and environment, another look by segments and exits. For
    /// each, whether it was news.
    pub async fn record_once(&self, placed: &[Placed], how: Telling) -> Result<Vec<bool>> {
        if placed.is_empty() {
            return Ok(Vec::new());
        }
        let dismissing = placed.iter().map(|one| &one.line);
        let dismissing = dismissing.filter(|line| line.kind == Kind::Dismissal);
        let dismissing: BTreeSet<CustomerId> = dismissing.map(|line| line.customer).collect();
        let mut tx = if dismissing.is_empty() {
            self.begin().await?
        } else {
            let dismissing: Vec<CustomerId> = dismissing.into_iter().collect();
            self.write_about(&dismissing).await?
        };
        let news = insert_new(&mut tx, placed, how).await?;
        if how.is_trial {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(news)
    }

    /// Forgets keys that were taken before this instant, at most `limit` of them. How many.
    pub async fn prune_interaction_keys(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let pruning = query(PRUNE).bind(micros(before)).bind(limit);
        let removed = pruning.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(removed)
    }
}

/// Records those that were not recorded before, within a transaction; for each, whether it was news.
pub(super) async fn insert_new(tx: &mut Tx, placed: &[Placed], how: Telling) -> Result<Vec<bool>> {
    if placed.is_empty() {
        return Ok(Vec::new());
    }
    let news = take(tx, placed, how.now).await?;
    let new: Vec<&Placed> = placed
        .iter()
        .zip(&news)
        .filter_map(|(one, is_news)| is_news.then_some(one))
        .collect();
    write(tx, &new, how).await?;
    Ok(news)
}

/// Takes the keys; of two that are alike the first is news.
async fn take(tx: &mut Tx, placed: &[Placed], now: Timestamp) -> Result<Vec<bool>> {
    let named = |one: &Placed| (one.line.customer.0, one.key.number());
    // In one order whoever sends them, so that two who send the same do not wait for each other.
    let keys: BTreeSet<(i64, i64)> = placed.iter().map(named).collect();
    let taking = query(TAKE).bind(json(&keys)).bind(micros(now));
    let rows = taking.fetch_all(tx).await?;
    let taken = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let mut taken: HashSet<(i64, i64)> = taken.collect::<Result<_>>()?;
    Ok(placed.iter().map(|one| taken.remove(&named(one))).collect())
}

async fn write(tx: &mut Tx, new: &[&Placed], how: Telling) -> Result<()> {
    let lines: Vec<Interaction> = new.iter().map(|one| one.line.clone()).collect();
    interactions::insert(tx, &lines).await?;
    interactions::show(tx, &lines).await?;
    let dismissals = lines.iter().filter(|line| line.kind == Kind::Dismissal);
    let dismissals: Vec<&Interaction> = dismissals.collect();
    dismissals::add_each(tx, &dismissals, how.source, how.now).await?;
    let answers = new
        .iter()
        .filter_map(|one| Some((one.line.customer, one.line.at, one.nps.as_ref()?)));
    nps::keep(tx, answers).await?;
    let seen = new
        .iter()
        .filter_map(|one| Some((one.line.customer, one.line.at, one.environment.as_ref()?)));
    environments::keep(tx, seen).await
}

/// What was recorded of the one is not recorded again of the other.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let of = query(OF).bind(i64::from(from.bucket().0)).bind(from.0);
    let keys: Vec<(i64, i64)> = listed(of, &mut *tx).await?;
    let keys = keys.into_iter().map(|(key, at)| (into.0, key, at));
    let keys: Vec<(i64, i64, i64)> = keys.collect();
    query(CARRY).bind(json(&keys)).execute(tx).await?;
    Ok(())
}
