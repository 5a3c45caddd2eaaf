//! Owns which nodes run on a store, and which buckets each of them holds.
//!
//! A node renews its time; by the database's clock alone it is decided whether that is over. Buckets are
//! taken from nobody but the gone, so a node that was away finds them with others and writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::db::Store;
use super::dialect::{Dialect, listed};
use super::error::Result;
use super::instants::instant;
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::{Bucket, Incarnation, RevisionNo, STRIPE, Stripes};

const JOIN: &str =
    "INSERT INTO nodes (node, name, since, until_at) VALUES ($1, $2, @now, @now + $3)";
const RENEW: &str = "UPDATE nodes SET until_at = @now + $2, files = $3, revision = $4, \
     leaving = $5 WHERE node = $1";
const REJOIN: &str = "INSERT INTO nodes (node, name, since, until_at, files, revision, \
     leaving) VALUES ($1, $6, @now, @now + $2, $3, $4, $5) ON CONFLICT (node) DO NOTHING";
const PUBLISHED: &str = "UPDATE nodes SET files = $2, revision = $3, until_at = \
     CASE WHEN until_at < @now + $4 THEN @now + $4 ELSE until_at END WHERE node = $1";
/// In microseconds: a node that published counts as running for so long, though it has just been started
/// and has not said so itself.
const HAS_PUBLISHED: i64 = 10_000_000;
const LIVE: &str = concat!(
    listed!("n.node, n.name, n.since, n.files, n.revision, n.leaving"),
    "(SELECT node, name, since, files, revision, leaving FROM nodes WHERE until_at > @now ORDER BY node) AS n"
);
const OWNERS: &str = concat!(
    "@everywhere(waiting)",
    listed!("l.bucket, l.owner"),
    "(SELECT bucket, owner FROM bucket_leases WHERE bucket BETWEEN 0 AND 1023 \
     AND bucket % 16 = 0 AND owner IS NOT NULL) AS l"
);
/// Whoever writes for these is done, and nobody begins to.
const LEASES: &str = "SELECT bucket, owner FROM bucket_leases WHERE bucket IN \
     (SELECT value FROM @buckets($1) AS s) ORDER BY bucket@alone";
const LIVING: &str = "SELECT node FROM nodes WHERE until_at > @now";
const TAKE: &str = "UPDATE bucket_leases SET owner = $2 WHERE bucket IN \
     (SELECT value FROM @buckets($1) AS s)";
const RELEASE: &str = "UPDATE bucket_leases SET owner = NULL WHERE bucket IN \
     (SELECT value FROM @buckets($1) AS s) AND owner = $2";
const RETIRE: &str = "UPDATE nodes SET until_at = 0 WHERE node = $1";
const FORGET: &str = "DELETE FROM nodes WHERE node = $1 OR until_at < @now - 86400000000";
/// The rows of a batch are found by their keys, however small the tables were when that was planned.
macro_rules! by_keys {
    () => {
        "set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), \
         set_config('enable_mergejoin', 'off', true), set_config('enable_material', 'off', true)"
    };
}

macro_rules! kept {
    ($also:expr, $lock:literal) => {
        concat!(
            "SELECT @list(@array(l.bucket, l.owner))",
            $also,
            " FROM (SELECT bucket, owner FROM bucket_leases \
             WHERE bucket IN (SELECT value FROM @buckets($1) AS s) ORDER BY bucket",
            $lock,
            ") AS l"
        )
    };
}

const SHARED: &str = kept!(concat!(", ", by_keys!()), "@share");
const ALONE: &str = kept!(concat!(", ", by_keys!()), "@alone");
const SWEEPING: &str = kept!("", "@alone");
const AT_ONCE: &str = kept!("", "@alone NOWAIT");

/// Only a server has them.
pub(super) const KEEPING: &[&str] = &[SHARED, ALONE, SWEEPING, AT_ONCE];

pub(super) const STATEMENTS: &[&str] = &[
    JOIN, RENEW, REJOIN, PUBLISHED, LIVE, OWNERS, LEASES, LIVING, TAKE, RELEASE, RETIRE, FORGET,
];

/// A daemon that runs on the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub node: Incarnation,
    pub name: String,
    pub since: Timestamp,
    /// The hash of the files it has before it.
    pub files: Option<String>,
    pub revision: Option<i32>,
    /// It is about to end.
    pub leaving: bool,
}

/// What a node says of itself when it renews its time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    pub name: String,
    pub files: Option<String>,
    pub revision: Option<i32>,
    pub leaving: bool,
}

/// How buckets are kept while a transaction writes for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grip {
    /// Beside others who write for them as their holder: rows by their keys.
    Shared,
    /// Beside nobody: rows by their keys.
    Alone,
    /// Beside nobody: whole buckets.
    Sweeping,
    /// The same at once or not at all, for whoever keeps rows already: buckets are kept before rows, and
    /// waiting in any other order would be waiting in a circle.
    AtOnce,
}

#[derive(Deserialize)]
struct NodeRow(i64, String, i64, Option<String>, Option<i32>, u8);

impl Store {
    /// Counts this start among the nodes for so many microseconds.
    pub async fn join(&self, node: Incarnation, name: &str, micros: i64) -> Result<()> {
        let join = query(JOIN).bind(node.0).bind(name).bind(micros);
        join.execute(&self.writers).await?;
        Ok(())
    }

    /// Prolongs the node's time; one that was given up is there again.
    pub async fn renew(&self, node: Incarnation, micros: i64, presence: &Presence) -> Result<()> {
        let bound = |text: &'static str| {
            let bound = query(text).bind(node.0).bind(micros);
            bound
                .bind(&presence.files)
                .bind(presence.revision)
                .bind(u32::from(presence.leaving))
        };
        if bound(RENEW).execute(&self.writers).await? == 0 {
            let again = bound(REJOIN).bind(&presence.name);
            again.execute(&self.writers).await?;
        }
        Ok(())
    }

    /// The nodes whose time is not over, in the order in which they started.
    pub async fn live_nodes(&self) -> Result<Vec<Node>> {
        let rows: Vec<NodeRow> = listed(query(LIVE), self.read()).await?;
        rows.into_iter()
            .map(|NodeRow(node, name, since, files, revision, leaving)| {
                Ok(Node {
                    node: Incarnation(node),
                    name,
                    since: instant(since)?,
                    files,
                    revision,
                    leaving: leaving != 0,
                })
            })
            .collect()
    }

    /// Whether others than this process run a revision on the store: the current one, or in a moment.
    pub async fn others_run(&self) -> Result<bool> {
        let me = self.node();
        let nodes = self.live_nodes().await?;
        let runs = |node: &Node| node.revision.is_some() && Some(node.node) != me;
        Ok(nodes.iter().any(runs))
    }

    /// Who holds each stripe; one that nobody holds is absent.
    pub async fn stripe_owners(&self) -> Result<BTreeMap<u16, Incarnation>> {
        let rows: Vec<(u16, i64)> = listed(query(OWNERS), self.read()).await?;
        let owner = |(bucket, owner): (u16, i64)| (bucket / STRIPE, Incarnation(owner));
        Ok(rows.into_iter().map(owner).collect())
    }

    /// Takes those of the stripes that nobody holds whose time is not over; which were taken.
    pub async fn take_stripes(&self, node: Incarnation, stripes: &Stripes) -> Result<Stripes> {
        let mut tx = self.begin().await?;
        let leases = leases(&mut tx, stripes).await?;
        let living: Vec<i64> = query_scalar(LIVING).fetch_all(&mut tx).await?;
        let is_free = |owner: Option<i64>| owner.is_none_or(|owner| !living.contains(&owner));
        let free = leases.into_iter().filter(|(_, owner)| is_free(*owner));
        let free: Vec<u16> = free.map(|(bucket, _)| bucket).collect();
        let take = query(TAKE).bind(json(&free)).bind(node.0);
        take.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(free.into_iter().map(|bucket| bucket / STRIPE).collect())
    }

    /// Gives stripes up, once everybody who writes for them is done.
    pub async fn release_stripes(&self, node: Incarnation, stripes: &Stripes) -> Result<()> {
        let mut tx = self.begin().await?;
        let leases = leases(&mut tx, stripes).await?.into_iter();
        let own = leases.filter(|(_, owner)| *owner == Some(node.0));
        let own: Vec<u16> = own.map(|(bucket, _)| bucket).collect();
        let release = query(RELEASE).bind(json(&own)).bind(node.0);
        release.execute(&mut tx).await?;
        tx.commit().await
    }

    /// A node that is certainly no more: what it holds may be taken at once.
    pub async fn retire(&self, node: Incarnation) -> Result<()> {
        query(RETIRE).bind(node.0).execute(&self.writers).await?;
        Ok(())
    }

    /// Leaves, holding nothing any more; the long gone are forgotten.
    pub async fn leave(&self, node: Incarnation) -> Result<()> {
        query(FORGET).bind(node.0).execute(&self.writers).await?;
        Ok(())
    }
}

/// Whoever sees a revision in force sees in the same moment that a node runs it.
pub(super) async fn show_published(
    tx: &mut Tx,
    node: Incarnation,
    files: &str,
    revision: RevisionNo,
) -> Result<()> {
    let show = query(PUBLISHED).bind(node.0).bind(files).bind(revision.0);
    show.bind(HAS_PUBLISHED).execute(tx).await?;
    Ok(())
}

/// Keeps these buckets until the transaction ends; who holds each. The first row of a stripe stands for
/// all of it, but on Citus, where it may lie elsewhere than what is written. Always in the same order,
/// so that nobody waits for another in a circle.
pub(super) async fn keep(
    tx: &mut Tx,
    buckets: impl IntoIterator<Item = Bucket>,
    grip: Grip,
) -> Result<BTreeMap<Bucket, Option<Incarnation>>> {
    let buckets: BTreeSet<Bucket> = buckets.into_iter().collect();
    let stripe = match tx.dialect() {
        Dialect::Sqlite | Dialect::Postgres => STRIPE,
        Dialect::Citus => 1,
    };
    let first = |bucket: &Bucket| bucket.0 - bucket.0 % stripe;
    let mut wanted: Vec<u16> = buckets.iter().map(first).collect();
    wanted.dedup();
    let text = match grip {
        Grip::Shared => SHARED,
        Grip::Alone => ALONE,
        Grip::Sweeping => SWEEPING,
        Grip::AtOnce => AT_ONCE,
    };
    let rows: Vec<(u16, Option<i64>)> = listed(query(text).bind(json(&wanted)), tx).await?;
    let owners: BTreeMap<u16, Option<i64>> = rows.into_iter().collect();
    let owner = |bucket: &Bucket| owners.get(&first(bucket)).copied().flatten();
    let kept = buckets
        .iter()
        .map(|bucket| (*bucket, owner(bucket).map(Incarnation)));
    Ok(kept.collect())
}

/// Who holds the buckets of these stripes, which stays so until the transaction ends.
async fn leases(tx: &mut Tx, stripes: &Stripes) -> Result<Vec<(u16, Option<i64>)>> {
    let of = |stripe: u16| stripe * STRIPE..(stripe + 1) * STRIPE;
    let buckets: Vec<u16> = stripes.iter().flat_map(of).collect();
    let rows = query(LEASES).bind(json(&buckets)).fetch_all(tx).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}
