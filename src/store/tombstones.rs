//! Owns tombstones: what is kept of customers who were deleted, and who comes back from one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::bind::{Bind, Cell};
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::{Error, Result};
use super::identity;
use super::listing::{json, listed};
use super::rows;
use super::seal::{self, Seal};
use super::sql::{query, query_scalar};
use super::tx::{On, Tx};
use crate::domain::bars::Bars;
use crate::domain::ids::{Bucket, CustomerId};

const SECRET: &str = "SELECT secret FROM tombstone_keys ORDER BY key_no DESC LIMIT 1";
const NEW_SECRET: &str =
    "INSERT INTO tombstone_keys (key_no, secret) VALUES (1, $1) ON CONFLICT (key_no) DO NOTHING";

/// Whose next number says whether anybody was deleted since.
const SEQUENCE: &str = "tombstone";
const REV: &str = "SELECT next FROM sequences WHERE name = $1";
const MOVE: &str = "UPDATE sequences SET next = next + $2 WHERE name = $1 RETURNING next - $2";
/// Before anybody was ever deleted.
pub(super) const NOBODY: i64 = 1;

const AMONG: &str = concat!(
    listed!("j.line, t.tombstone"),
    rows!(bucket BIGINT 0, digest TEXT 1, line BIGINT 2),
    " AS j CROSS JOIN tombstone_digests AS t WHERE t.bucket = j.bucket AND t.digest = j.digest"
);
const READ: &str = concat!(
    listed!("t.tombstone, t.digests, t.bars"),
    ids!(),
    " AS k CROSS JOIN tombstones AS t WHERE t.bucket = k.bucket AND t.tombstone = k.id"
);
const RETURNED: &str = concat!(
    listed!("r.customer_id, r.tombstone"),
    ids!(),
    " AS k CROSS JOIN returned AS r WHERE r.bucket = k.bucket AND r.customer_id = k.id"
);
const NOTE_RETURNED: &str = concat!(
    "INSERT INTO returned (bucket, customer_id, tombstone) SELECT j.id >> 48, j.id, j.tombstone FROM ",
    rows!(id BIGINT 0, tombstone BIGINT 1),
    " AS j WHERE true ON CONFLICT (bucket, customer_id, tombstone) DO NOTHING"
);
const FORGET_RETURNED: &str = concat!(
    "DELETE FROM returned WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const REMOVE: &str = concat!(
    "DELETE FROM tombstones WHERE (bucket, tombstone) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const REMOVE_DIGESTS: &str = concat!(
    "DELETE FROM tombstone_digests WHERE (bucket, digest, tombstone) IN \
     (SELECT j.bucket, j.digest, j.tombstone FROM ",
    rows!(bucket BIGINT 0, digest TEXT 1, tombstone BIGINT 2),
    " AS j)"
);

const COLUMNS: [(&str, &str); 5] = [
    ("bucket", "BIGINT"),
    ("tombstone", "BIGINT"),
    ("deleted_at", "BIGINT"),
    ("digests", "TEXT"),
    ("bars", "TEXT"),
];
const DIGEST_COLUMNS: [(&str, &str); 3] = [
    ("bucket", "BIGINT"),
    ("digest", "TEXT"),
    ("tombstone", "BIGINT"),
];

pub(super) const STATEMENTS: &[&str] = &[
    SECRET,
    NEW_SECRET,
    REV,
    MOVE,
    AMONG,
    READ,
    RETURNED,
    NOTE_RETURNED,
    FORGET_RETURNED,
    REMOVE,
    REMOVE_DIGESTS,
];

/// Hashes looked up by one statement.
const TOGETHER: usize = 6_000;

/// What is kept of one deleted customer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tombstone {
    /// As they are stored, sorted.
    pub(super) digests: BTreeSet<String>,
    pub(super) bars: Bars,
}

impl Store {
    /// The secret by which identifiers of the deleted are hashed, if anybody was ever deleted.
    pub async fn seal(&self) -> Result<Option<Seal>> {
        if rev(self.read()).await? == NOBODY {
            return Ok(None);
        }
        secret(self.read()).await
    }

    /// The same, made when it is first asked for; it lasts as long as the store.
    pub(super) async fn made_seal(&self) -> Result<Seal> {
        if let Some(seal) = secret(self.read()).await? {
            return Ok(seal);
        }
        let mut tx = self.begin().await?;
        query(NEW_SECRET)
            .bind(identity::random::<32>()?.as_slice())
            .execute(&mut tx)
            .await?;
        let seal = secret(&mut tx).await?;
        tx.commit().await?;
        seal.ok_or_else(|| Error::Corrupt("the key of tombstones is not there".to_owned()))
    }
}

pub(super) async fn secret<'c>(on: impl Into<On<'c>>) -> Result<Option<Seal>> {
    let secret: Option<Vec<u8>> = query_scalar(SECRET).fetch_optional(on).await?;
    Ok(secret.map(|secret| Seal::new(&secret)))
}

/// Moves with every customer that is deleted.
pub(super) async fn rev<'c>(on: impl Into<On<'c>>) -> Result<i64> {
    let rev: Option<i64> = query_scalar(REV).bind(SEQUENCE).fetch_optional(on).await?;
    Ok(rev.unwrap_or(NOBODY))
}

/// Which tombstones hashes lead to, by the line that each is of.
pub(super) async fn among<'c>(
    digests: &[(u16, String, usize)],
    on: impl Into<On<'c>>,
) -> Result<BTreeMap<usize, BTreeSet<i64>>> {
    let mut on = on.into();
    let mut found: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
    for some in digests.chunks(TOGETHER) {
        let pairs: Vec<(usize, i64)> = listed(query(AMONG).bind(json(some)), on.again()).await?;
        for (line, tombstone) in pairs {
            found.entry(line).or_default().insert(tombstone);
        }
    }
    Ok(found)
}

/// Those of the tombstones that are still there.
pub(super) async fn read(
    tx: &mut Tx,
    tombstones: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Tombstone>> {
    if tombstones.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, String, String)> =
        listed(query(READ).bind(json(tombstones)), &mut *tx).await?;
    let unreadable = |error| Error::Corrupt(format!("a tombstone: {error}"));
    let read = |(number, digests, bars): (i64, String, String)| {
        let tombstone = Tombstone {
            digests: serde_json::from_str(&digests).map_err(unreadable)?,
            bars: serde_json::from_str(&bars).map_err(unreadable)?,
        };
        Ok((number, tombstone))
    };
    rows.into_iter().map(read).collect()
}

/// From which tombstones these customers are known to have come back.
pub(super) async fn returned(
    tx: &mut Tx,
    customers: &[CustomerId],
) -> Result<BTreeMap<CustomerId, BTreeSet<i64>>> {
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let pairs: Vec<(i64, i64)> = listed(query(RETURNED).bind(json(&ids)), tx).await?;
    let mut from: BTreeMap<CustomerId, BTreeSet<i64>> = BTreeMap::new();
    for (customer, tombstone) in pairs {
        from.entry(CustomerId(customer))
            .or_default()
            .insert(tombstone);
    }
    Ok(from)
}

/// Remembers who came back from which.
pub(super) async fn note_returned(
    tx: &mut Tx,
    from: &BTreeMap<CustomerId, BTreeSet<i64>>,
) -> Result<()> {
    let pairs = from.iter().flat_map(|(id, tombstones)| {
        let id = id.0;
        tombstones.iter().map(move |tombstone| (id, *tombstone))
    });
    let pairs: Vec<(i64, i64)> = pairs.collect();
    query(NOTE_RETURNED).bind(json(&pairs)).execute(tx).await?;
    Ok(())
}

/// Sets a tombstone for each, and says that somebody was deleted.
pub(super) async fn add(tx: &mut Tx, tombstones: &[Tombstone], at: Timestamp) -> Result<()> {
    let count = i64::try_from(tombstones.len()).unwrap_or(i64::MAX);
    let moved = query_scalar(MOVE).bind(SEQUENCE).bind(count);
    let first: i64 = moved.fetch_one(&mut *tx).await?;
    let (mut kept, mut digests): (Vec<Vec<Cell>>, Vec<Vec<Cell>>) = (Vec::new(), Vec::new());
    for (tombstone, sequence) in tombstones.iter().zip(first..) {
        let home = tombstone
            .digests
            .first()
            .map_or(Bucket(0), |d| seal::bucket(d));
        let number = CustomerId::new(home, sequence).0;
        kept.push(vec![
            Some(Bind::Int(i64::from(home.0))),
            Some(Bind::Int(number)),
            Some(Bind::Int(at.as_microsecond())),
            Some(Bind::Text(json(&tombstone.digests))),
            Some(Bind::Text(json(&tombstone.bars))),
        ]);
        let lines = tombstone.digests.iter().map(|digest| {
            let bucket = Bind::Int(i64::from(seal::bucket(digest).0));
            let line = [bucket, Bind::Text(digest.clone()), Bind::Int(number)];
            line.map(Some).to_vec()
        });
        digests.extend(lines);
    }
    rows::insert(tx, "tombstones", &COLUMNS, kept).await?;
    rows::insert(tx, "tombstone_digests", &DIGEST_COLUMNS, digests).await
}

/// Takes tombstones away, with all that leads to them.
pub(super) async fn remove(tx: &mut Tx, tombstones: &BTreeMap<i64, Tombstone>) -> Result<()> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let digests = tombstones.iter().flat_map(|(number, tombstone)| {
        let digests = tombstone.digests.iter();
        digests.map(|digest| (seal::bucket(digest).0, digest, *number))
    });
    let digests: Vec<(u16, &String, i64)> = digests.collect();
    query(REMOVE_DIGESTS)
        .bind(json(&digests))
        .execute(&mut *tx)
        .await?;
    let numbers: Vec<i64> = tombstones.keys().copied().collect();
    query(REMOVE).bind(json(&numbers)).execute(tx).await?;
    Ok(())
}

/// Forgets that these customers came back.
pub(super) async fn forget_returned(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    query(FORGET_RETURNED).bind(json(&ids)).execute(tx).await?;
    Ok(())
}
