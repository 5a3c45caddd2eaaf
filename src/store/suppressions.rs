//! Owns suppressions: addresses that are not written to any more, whoever has them.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use super::db::Store;
use super::dialect::rows;
use super::error::{Error, Result};
use super::instants::instant;
use super::sql::{query, query_scalar};
use super::tx::{On, Pool, Tx};
use crate::domain::channel::Channel;
use crate::domain::ids::Bucket;

const ADD: &str = "INSERT INTO suppressions (bucket, channel, address, at, reason) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (bucket, channel, address) DO NOTHING";
const AMONG: &str = concat!(
    "SELECT s.channel, s.address FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, address TEXT 2),
    " AS j CROSS JOIN suppressions AS s WHERE s.bucket = j.bucket AND s.channel = j.channel \
     AND s.address = j.address"
);

const OF: &str =
    "SELECT at, reason FROM suppressions WHERE bucket = $1 AND channel = $2 AND address = $3";
const MARK: &str = "SELECT next FROM sequences WHERE name = $1";
/// The same, and nobody suppresses an address until the transaction ends.
const MARK_KEPT: &str = "SELECT next FROM sequences WHERE name = $1@share";
const TOUCH: &str = "UPDATE sequences SET next = next + 1 WHERE name = $1";
/// Whose next number is the mark of all suppressions.
const SEQUENCE: &str = "suppression";

pub(super) const STATEMENTS: &[&str] = &[ADD, AMONG, OF, MARK, MARK_KEPT, TOUCH];

/// Why an address is not written to any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub at: Timestamp,
    /// In the words of what suppressed it.
    pub reason: String,
}

impl Store {
    /// Suppresses an address on a channel; the first reason stays.
    pub async fn suppress(
        &self,
        channel: Channel,
        address: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        suppress(&mut tx, channel, address, reason, at).await?;
        tx.commit().await
    }

    /// Those of the addresses that are suppressed, written as they were asked for.
    pub async fn suppressed(
        &self,
        addresses: &[(Channel, &str)],
    ) -> Result<HashSet<(Channel, String)>> {
        among(addresses, self.read()).await
    }

    /// Why and since when an address is suppressed on a channel; none: it is not.
    pub async fn suppression(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Suppression>> {
        let key = key(address);
        let row = query(OF)
            .bind(i64::from(Bucket::of(&key).0))
            .bind(channel.number())
            .bind(&key)
            .fetch_optional(self.read())
            .await?;
        row.map(|row| {
            Ok(Suppression {
                at: instant(row.try_get(0)?)?,
                reason: row.try_get(1)?,
            })
        })
        .transpose()
    }

    /// Moves with every address that is suppressed.
    pub async fn suppression_rev(&self) -> Result<i64> {
        mark(self.read()).await
    }
}

async fn mark(on: &Pool) -> Result<i64> {
    query_scalar(MARK).bind(SEQUENCE).fetch_one(on).await
}

/// The mark, which stays as it is until the transaction ends.
pub(super) async fn kept_mark(tx: &mut Tx) -> Result<i64> {
    query_scalar(MARK_KEPT).bind(SEQUENCE).fetch_one(tx).await
}

/// Says that addresses have been suppressed.
pub(super) async fn touch(tx: &mut Tx) -> Result<()> {
    query(TOUCH).bind(SEQUENCE).execute(tx).await?;
    Ok(())
}

pub(super) async fn among<'c>(
    addresses: &[(Channel, &str)],
    on: impl Into<On<'c>>,
) -> Result<HashSet<(Channel, String)>> {
    let mut asked: HashMap<(Channel, String), Vec<&str>> = HashMap::new();
    for (channel, address) in addresses {
        asked
            .entry((*channel, key(address)))
            .or_default()
            .push(address);
    }
    let rows: Vec<(u16, i64, &str)> = asked
        .keys()
        .map(|(channel, key)| (Bucket::of(key).0, channel.number(), key.as_str()))
        .collect();
    let found = query(AMONG)
        .bind(json!(rows).to_string())
        .fetch_all(on)
        .await?;
    let mut suppressed = HashSet::new();
    for row in &found {
        let number = row.try_get(0)?;
        let channel = Channel::from_number(number)
            .ok_or_else(|| Error::Corrupt(format!("the unknown channel {number}")))?;
        let spellings = asked
            .remove(&(channel, row.try_get(1)?))
            .unwrap_or_default();
        suppressed.extend(spellings.into_iter().map(|text| (channel, text.to_owned())));
    }
    Ok(suppressed)
}

/// Suppresses an address within a transaction.
pub(super) async fn suppress(
    tx: &mut Tx,
    channel: Channel,
    address: &str,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let key = key(address);
    query(ADD)
        .bind(i64::from(Bucket::of(&key).0))
        .bind(channel.number())
        .bind(&key)
        .bind(at.as_microsecond())
        .bind(reason)
        .execute(&mut *tx)
        .await?;
    touch(tx).await
}

/// By what an address is known again that is not kept.
pub(super) fn hash(address: &str) -> i64 {
    xxh3_64(key(address).as_bytes()).cast_signed()
}

/// Addresses are compared without case.
pub(super) fn key(address: &str) -> String {
    address.trim().to_lowercase()
}
