//! Owns the way of receipts to their dispatches: by our ids, by the gateways' own ids, and by waiting for
//! the gateway's answer where they were faster.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::Result;
use super::fates;
use super::hearing::{Addresses, Hearing, Told};
use super::instants::{instant, micros};
use super::listing::{json, listed};
use super::outcomes::Settled;
use super::sql::{Row, query};
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::field::DataModel;
use crate::domain::gateway::ChannelConfig;
use crate::domain::ids::{Bucket, CustomerId, EnrollmentId, NameNo};
use crate::domain::news::{About, Fate, Receipt};

const KNOWN: &str = concat!(
    listed!("g.gateway_id, g.enrollment, g.step"),
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2),
    " AS j CROSS JOIN gateway_ids AS g WHERE g.bucket = j.bucket AND g.channel = j.channel \
     AND g.gateway_id = j.gateway_id AND g.enrollment IS NOT NULL"
);
/// Whoever names the same id at the same time waits for the other here, so that none misses the other.
const AWAIT: &str = concat!(
    "INSERT INTO gateway_ids (bucket, channel, gateway_id, at) \
     SELECT j.bucket, j.channel, j.gateway_id, $2 FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2),
    " AS j WHERE true ON CONFLICT (bucket, channel, gateway_id) DO UPDATE SET at = excluded.at \
     RETURNING gateway_id, enrollment, step"
);
const NAME: &str = concat!(
    "INSERT INTO gateway_ids (bucket, channel, gateway_id, enrollment, step, at) \
     SELECT j.bucket, j.channel, j.gateway_id, j.enrollment, j.step, $2 FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2, enrollment BIGINT 3, step BIGINT 4),
    " AS j WHERE true ON CONFLICT (bucket, channel, gateway_id) DO UPDATE SET \
     enrollment = excluded.enrollment, step = excluded.step, at = excluded.at"
);
/// At most so many in a bucket: somebody else's messages are told of, perhaps.
const WAIT: &str = concat!(
    "INSERT INTO early_receipts (bucket, channel, gateway_id, fate, at, detail, heard_at) \
     SELECT j.bucket, j.channel, j.gateway_id, j.fate, j.at, j.detail, $2 FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2, fate BIGINT 3, at BIGINT 4,
          detail TEXT 5),
    " AS j WHERE (SELECT count(*) FROM early_receipts AS e WHERE e.bucket = j.bucket) < $3 \
     ON CONFLICT (bucket, channel, gateway_id, fate) DO NOTHING"
);
const TAKE_UP: &str = concat!(
    "DELETE FROM early_receipts WHERE (bucket, channel, gateway_id) IN \
     (SELECT j.bucket, j.channel, j.gateway_id FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2),
    " AS j) RETURNING gateway_id, fate, at, detail"
);
const OF_CUSTOMERS: &str = concat!(
    listed!("d.channel, d.gateway_id"),
    ids!(),
    " AS k CROSS JOIN enrollments AS e CROSS JOIN dispatches AS d WHERE e.bucket = k.bucket \
     AND e.customer_id = k.id AND d.bucket = e.bucket AND d.enrollment_id = e.enrollment_id \
     AND d.gateway_id IS NOT NULL"
);
const FORGET: &str = concat!(
    "DELETE FROM gateway_ids WHERE (bucket, channel, gateway_id) IN \
     (SELECT j.bucket, j.channel, j.gateway_id FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2),
    " AS j)"
);
const FORGET_EARLY: &str = concat!(
    "DELETE FROM early_receipts WHERE (bucket, channel, gateway_id) IN \
     (SELECT j.bucket, j.channel, j.gateway_id FROM ",
    rows!(bucket BIGINT 0, channel BIGINT 1, gateway_id TEXT 2),
    " AS j)"
);
const PRUNE_IDS: &str = "DELETE FROM gateway_ids WHERE (bucket, channel, gateway_id) IN \
     (SELECT bucket, channel, gateway_id FROM gateway_ids WHERE bucket BETWEEN 0 AND 1023 \
     AND at < $1 LIMIT $2)";
const PRUNE_EARLY: &str = "DELETE FROM early_receipts WHERE (bucket, channel, gateway_id, fate) IN \
     (SELECT bucket, channel, gateway_id, fate FROM early_receipts WHERE bucket BETWEEN 0 AND 1023 \
     AND heard_at < $1 LIMIT $2)";

pub(super) const STATEMENTS: &[&str] = &[
    KNOWN,
    AWAIT,
    NAME,
    WAIT,
    TAKE_UP,
    OF_CUSTOMERS,
    FORGET,
    FORGET_EARLY,
    PRUNE_IDS,
    PRUNE_EARLY,
];

/// In one bucket; about a hundred thousand in all.
const EARLY: i64 = 100;
/// No gateway tells of a message later, and none answers so late.
const IDS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
const EARLY_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Which channel's gateway tells, and what is to be known to hear it.
#[derive(Debug, Clone)]
pub struct Listening<'a> {
    pub channel: Channel,
    /// None: the channel is gone.
    pub config: Option<&'a ChannelConfig>,
    /// With the fields that the channel's addresses are made of.
    pub model: &'a DataModel,
    /// Whether the channel is paused when a policy turns a message away.
    pub believes_policy: bool,
    /// Whether a segment asks what was sent.
    pub marks: bool,
    pub now: Timestamp,
}

/// What was heard that was not known before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeardOf {
    pub fates: Vec<Fate>,
    /// Receipts about messages that this store did not send, or has forgotten.
    pub strange: usize,
    /// Those that wait for the gateway's answer.
    pub early: usize,
    /// Whether the channel was running and is paused now.
    pub paused: bool,
}

/// Where a message is: enrollment and step.
type Where = (EnrollmentId, NameNo);

impl Store {
    /// Hears receipts: what they say is stored when this is answered, in one transaction for those whose
    /// dispatch is known. What is told again changes nothing.
    pub async fn hear(&self, receipts: &[Receipt], listening: &Listening<'_>) -> Result<HeardOf> {
        let mut found = self.named(receipts, listening.channel).await?;
        let unknown = receipts.iter().filter(|receipt| match &receipt.about {
            About::Gateway(id) => !found.contains_key(id),
            About::Dispatch(_) => false,
        });
        let unknown: Vec<&Receipt> = unknown.collect();
        let waiting = if unknown.is_empty() {
            HashSet::new()
        } else {
            self.let_wait(&unknown, listening, &mut found).await?
        };
        let tag = self.instance_tag().await?;
        let told = receipts.iter().filter_map(|receipt| {
            let (enrollment, step) = match &receipt.about {
                About::Gateway(id) => found.get(id).copied()?,
                About::Dispatch(id) if id.is_of(tag) => (id.enrollment(), id.step()),
                About::Dispatch(_) => return None,
            };
            Some(Told::of(receipt, enrollment, step))
        });
        let told: Vec<Told> = told.collect();
        let mut heard = self.hear_told(&told, listening).await?;
        heard.early = waiting.len();
        heard.strange += receipts.len() - told.len() - unknown_of(&unknown, &waiting);
        Ok(heard)
    }

    async fn hear_told(&self, told: &[Told], listening: &Listening<'_>) -> Result<HeardOf> {
        if told.is_empty() {
            return Ok(HeardOf::default());
        }
        let buckets: BTreeSet<Bucket> = told.iter().map(|one| one.enrollment.bucket()).collect();
        let mut tx = self.write_alone(buckets).await?;
        let hearing = Hearing {
            channel: Some(listening.channel),
            addresses: Addresses::Present(listening.config, listening.model),
            by: None,
            believes_policy: listening.believes_policy,
            marks: listening.marks,
            now: listening.now,
        };
        let heard = fates::apply(&mut tx, told, &hearing).await?;
        tx.commit().await?;
        Ok(HeardOf {
            fates: heard.fates,
            strange: heard.strange,
            paused: heard.paused,
            early: 0,
        })
    }

    /// Where the messages are that the gateway names by its own ids.
    async fn named(
        &self,
        receipts: &[Receipt],
        channel: Channel,
    ) -> Result<HashMap<String, Where>> {
        let ids = keys(receipts, channel);
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(String, i64, i32)> =
            listed(query(KNOWN).bind(json(&ids)), self.read()).await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, enrollment, step)| (id, (EnrollmentId(enrollment), NameNo(step))))
            .collect())
    }

    /// Keeps receipts until the gateway's answer is stored; one whose answer came meanwhile is `found`.
    /// The ids that are waited for.
    async fn let_wait(
        &self,
        unknown: &[&Receipt],
        listening: &Listening<'_>,
        found: &mut HashMap<String, Where>,
    ) -> Result<HashSet<String>> {
        let ids = keys(unknown.iter().copied(), listening.channel);
        let now = micros(listening.now);
        let mut tx = self.begin().await?;
        let awaiting = query(AWAIT).bind(json(&ids)).bind(now);
        let mut waiting = HashSet::new();
        for row in &awaiting.fetch_all(&mut tx).await? {
            let id: String = row.try_get(0)?;
            match (row.try_get(1)?, row.try_get(2)?) {
                (Some(enrollment), Some(step)) => {
                    found.insert(id, (EnrollmentId(enrollment), NameNo(step)));
                }
                _ => drop(waiting.insert(id)),
            }
        }
        let early = unknown.iter().filter_map(|receipt| match &receipt.about {
            About::Gateway(id) if waiting.contains(id) => Some((
                Bucket::of(id).0,
                listening.channel.number(),
                id,
                receipt.fate.number(),
                receipt.at.map(micros),
                &receipt.detail,
            )),
            _ => None,
        });
        let early: Vec<_> = early.collect();
        let keeping = query(WAIT).bind(json(&early)).bind(now).bind(EARLY);
        keeping.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(waiting)
    }

    /// Forgets gateways' ids that nobody names any more, and receipts of messages that are not ours, at
    /// most `limit` of each. How many.
    pub async fn prune_receipts(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        let mut removed = 0;
        for (statement, kept) in [(PRUNE_IDS, IDS_KEPT), (PRUNE_EARLY, EARLY_KEPT)] {
            let pruning = query(statement).bind(micros(now - kept)).bind(limit);
            removed += pruning.execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }
}

/// How many of the receipts wait.
fn unknown_of(unknown: &[&Receipt], waiting: &HashSet<String>) -> usize {
    let waits = |receipt: &&&Receipt| match &receipt.about {
        About::Gateway(id) => waiting.contains(id),
        About::Dispatch(_) => false,
    };
    unknown.iter().filter(waits).count()
}

/// Bucket, channel and id, each once and in one order: two who name the same wait for each other in turn.
fn keys<'a>(
    receipts: impl IntoIterator<Item = &'a Receipt>,
    channel: Channel,
) -> BTreeSet<(u16, i64, &'a str)> {
    let receipts = receipts.into_iter();
    let named = receipts.filter_map(|receipt| match &receipt.about {
        About::Gateway(id) => Some((Bucket::of(id).0, channel.number(), id.as_str())),
        About::Dispatch(_) => None,
    });
    named.collect()
}

/// Writes down the ids that gateways gave, and hears what was told of them before.
pub(super) async fn name(
    tx: &mut Tx,
    settled: &[&Settled],
    (marks, now): (bool, Timestamp),
) -> Result<()> {
    let named = settled.iter().filter(|row| row.receipts.are_by_theirs());
    let named = named.filter_map(|row| {
        let id = row.settlement.gateway_id.as_deref()?;
        let bucket = Bucket::of(id).0;
        Some(((bucket, row.channel.number(), id), *row))
    });
    let mut named: Vec<((u16, i64, &str), &Settled)> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    named.sort_by_key(|(key, _)| *key);
    // One message has the id; of two that a gateway calls the same, the first.
    named.dedup_by_key(|(key, _)| *key);
    let rows = named.iter().map(|((bucket, channel, id), row)| {
        let (enrollment, step) = row.key();
        (*bucket, *channel, *id, enrollment, step)
    });
    let rows: Vec<_> = rows.collect();
    let naming = query(NAME).bind(json(&rows)).bind(micros(now));
    naming.execute(&mut *tx).await?;
    let told = take_up(tx, &named).await?;
    if told.is_empty() {
        return Ok(());
    }
    let addresses = named
        .iter()
        .map(|(_, row)| (row.enrollment, row.address.as_str()));
    let hearing = Hearing {
        channel: None,
        addresses: Addresses::Known(addresses.collect()),
        by: None,
        believes_policy: true,
        marks,
        now,
    };
    fates::apply(tx, &told, &hearing).await?;
    Ok(())
}

/// The receipts that waited for these.
async fn take_up(tx: &mut Tx, named: &[((u16, i64, &str), &Settled)]) -> Result<Vec<Told>> {
    let of: HashMap<&str, &Settled> = named.iter().map(|((_, _, id), row)| (*id, *row)).collect();
    let keys: Vec<&(u16, i64, &str)> = named.iter().map(|(key, _)| key).collect();
    let rows = query(TAKE_UP).bind(json(&keys)).fetch_all(tx).await?;
    let told = rows.iter().map(|row| early(row, &of));
    Ok(told
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

fn early(row: &Row, of: &HashMap<&str, &Settled>) -> Result<Option<Told>> {
    let id: String = row.try_get(0)?;
    let fate = Fate::from_number(row.try_get(1)?);
    let (Some(settled), Some(fate)) = (of.get(id.as_str()), fate) else {
        return Ok(None);
    };
    let at: Option<i64> = row.try_get(2)?;
    Ok(Some(Told {
        enrollment: settled.enrollment,
        step: settled.step,
        fate,
        at: at.map(instant).transpose()?,
        detail: row.try_get(3)?,
    }))
}

/// Forgets by which ids gateways know messages to these customers.
pub(super) async fn forget(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let known: Vec<(i64, String)> = listed(query(OF_CUSTOMERS).bind(json(&ids)), &mut *tx).await?;
    if known.is_empty() {
        return Ok(());
    }
    let keys = known
        .iter()
        .map(|(channel, id)| (Bucket::of(id).0, *channel, id));
    let keys: Vec<_> = keys.collect();
    for statement in [FORGET, FORGET_EARLY] {
        query(statement).bind(json(&keys)).execute(&mut *tx).await?;
    }
    Ok(())
}
