//! Owns whose search texts are still to be made: single customers, and ranges of many new ones.

use std::collections::BTreeSet;
use std::ops::Range;

use super::db::Store;
use super::dialect::rows;
use super::error::Result;
use super::listing::json;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::{BUCKETS, Bucket, CustomerId};

/// So many new customers are worth a range, which is gone through later; fewer are marked one by one.
const WORTH_A_RANGE: i64 = 256;

/// A mark that somebody takes at this moment is waited for, so that none is lost.
macro_rules! again {
    () => {
        " ON CONFLICT (bucket, customer_id) DO UPDATE SET mark = search_marks.mark + 1"
    };
}

const MARK: &str = concat!(
    "INSERT INTO search_marks (bucket, customer_id, mark) SELECT j.id >> 48, j.id, 1 FROM ",
    rows!(id BIGINT 0),
    " AS j WHERE true",
    again!()
);
const MARK_NEW: &str = concat!(
    "INSERT INTO search_marks (bucket, customer_id, mark) SELECT c.bucket, c.customer_id, 1 FROM ",
    rows!(bucket BIGINT 0),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket \
     AND c.customer_id >= (k.bucket << 48) + $2 AND c.customer_id < (k.bucket << 48) + $3",
    again!()
);
const MARK_RANGE: &str = "INSERT INTO search_ranges (first, until, customers, reached) \
     VALUES ($1, $2, $3, -1) ON CONFLICT (first) DO UPDATE SET reached = -1, \
     customers = excluded.customers, until = CASE WHEN search_ranges.until > excluded.until THEN search_ranges.until ELSE excluded.until END";
const TAKE: &str = "DELETE FROM search_marks WHERE (bucket, customer_id) IN \
     (SELECT bucket, customer_id FROM search_marks WHERE bucket BETWEEN 0 AND 1023 \
     ORDER BY bucket, customer_id LIMIT $1) RETURNING customer_id";
const RANGE: &str =
    "SELECT first, until, customers, reached FROM search_ranges ORDER BY first LIMIT 1@alone";
const REACHED: &str = "UPDATE search_ranges SET reached = $2 WHERE first = $1";
const DONE: &str = "DELETE FROM search_ranges WHERE first = $1";
const MARKED: &str =
    "@everywhere(waiting)SELECT count(*) FROM search_marks WHERE bucket BETWEEN 0 AND 1023";
const RANGES: &str = "SELECT first, until, customers, reached FROM search_ranges ORDER BY first";

pub(super) const STATEMENTS: &[&str] = &[
    MARK, MARK_NEW, MARK_RANGE, TAKE, RANGE, REACHED, DONE, MARKED, RANGES,
];

/// New customers by their numbers without buckets, and the last who was gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: i64,
    pub(super) until: i64,
    /// How many they are, at most.
    pub(super) customers: i64,
    pub(super) reached: i64,
}

/// What waits for its search text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// At most so many customers.
    pub customers: u64,
    /// How many ranges there are, and the newest; it moves while very many are being added.
    pub ranges: usize,
    pub newest: i64,
}

impl Store {
    /// How many customers are not found by their texts yet, or by older ones.
    pub async fn search_waiting(&self) -> Result<Waiting> {
        let marked: i64 = query_scalar(MARKED).fetch_one(self.read()).await?;
        let rows = query(RANGES).fetch_all(self.read()).await?;
        let mut waiting = Waiting {
            customers: marked.unsigned_abs(),
            ranges: rows.len(),
            newest: 0,
        };
        for row in &rows {
            let range = Stretch::read(row)?;
            waiting.customers += range.left();
            waiting.newest = waiting.newest.max(range.first);
        }
        Ok(waiting)
    }
}

impl Stretch {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            first: row.try_get(0)?,
            until: row.try_get(1)?,
            customers: row.try_get(2)?,
            reached: row.try_get(3)?,
        })
    }

    /// At most so many are left: those of the buckets that were not gone through.
    fn left(self) -> u64 {
        let done = u64::from(self.bucket());
        let all = self.customers.unsigned_abs();
        all - all * done / u64::from(BUCKETS)
    }

    /// The bucket that is gone through next.
    pub(super) fn bucket(self) -> u16 {
        let next = Bucket::of_number(self.reached.saturating_add(1).max(0));
        next.0
    }
}

/// Marks those whose texts may have changed.
pub(super) async fn mark(tx: &mut Tx, customers: impl Iterator<Item = CustomerId>) -> Result<()> {
    let ids: Vec<[i64; 1]> = customers.map(|id| [id.0]).collect();
    if ids.is_empty() {
        return Ok(());
    }
    query(MARK).bind(json(&ids)).execute(tx).await?;
    Ok(())
}

/// Marks the new customers of these buckets with these sequence numbers.
pub(super) async fn mark_new(
    tx: &mut Tx,
    buckets: &BTreeSet<Bucket>,
    numbers: Range<i64>,
) -> Result<()> {
    if numbers.end - numbers.start >= WORTH_A_RANGE {
        let customers = (numbers.end - numbers.start).unsigned_abs();
        return mark_range(tx, numbers, customers).await;
    }
    let buckets: Vec<[u16; 1]> = buckets.iter().map(|bucket| [bucket.0]).collect();
    let marking = query(MARK_NEW).bind(json(&buckets));
    marking
        .bind(numbers.start)
        .bind(numbers.end)
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks customers with these sequence numbers in all buckets, of whom there are so many at most.
pub(super) async fn mark_range(tx: &mut Tx, numbers: Range<i64>, customers: u64) -> Result<()> {
    let marking = query(MARK_RANGE).bind(numbers.start).bind(numbers.end);
    let customers = i64::try_from(customers).unwrap_or(i64::MAX);
    marking.bind(customers).execute(tx).await?;
    Ok(())
}

/// Takes marks, which are gone with the transaction: what is read of their customers afterwards is no
/// older than the marks.
pub(super) async fn take(tx: &mut Tx, limit: u32) -> Result<Vec<i64>> {
    let rows = query(TAKE).bind(limit).fetch_all(tx).await?;
    rows.iter().map(Row::take).collect()
}

/// The first range, kept until the transaction ends.
pub(super) async fn range(tx: &mut Tx) -> Result<Option<Stretch>> {
    let row = query(RANGE).fetch_optional(tx).await?;
    row.as_ref().map(Stretch::read).transpose()
}

/// Writes down how far a range has been gone through.
pub(super) async fn reached(tx: &mut Tx, range: Stretch, reached: Option<i64>) -> Result<()> {
    match reached {
        Some(last) => query(REACHED).bind(range.first).bind(last),
        None => query(DONE).bind(range.first),
    }
    .execute(tx)
    .await?;
    Ok(())
}
