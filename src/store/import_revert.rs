//! Owns taking an import back: some customers at a time, each with all that was changed of them or none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::customer_edits;
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::erasure;
use super::error::Result;
use super::import_back::{self, Back};
use super::import_before::Before;
use super::job_holds::{self, JobHold, JobStanding, Step};
use super::job_pages::Stepped;
use super::listing::{json, listed};
use super::sql::{Row, query};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::dispatch::DispatchState;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::import::ImportNo;
use crate::domain::job::{JobFailure, JobPlace};

const CHANGED: &str = "@everywhere(people)SELECT customer_id, body FROM import_changes \
     WHERE bucket BETWEEN $1 AND 1023 AND import = $2 AND customer_id > $3 \
     ORDER BY bucket, customer_id LIMIT $4";
const RANGES: &str = "SELECT first, count FROM import_ranges WHERE import = $1 ORDER BY first";
const MADE: &str = concat!(
    listed!("c.customer_id"),
    rows!(bucket BIGINT 0, low BIGINT 1, high BIGINT 2),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id >= k.low \
     AND c.customer_id < k.high"
);
const LATER: &str = concat!(
    listed!("b.customer_id"),
    ids!(),
    " AS k CROSS JOIN import_changes AS b WHERE b.bucket = k.bucket AND b.customer_id = k.id \
     AND b.import > $2"
);
const SENT: &str = concat!(
    listed!("e.customer_id"),
    ids!(),
    " AS k CROSS JOIN enrollments AS e CROSS JOIN dispatches AS d WHERE e.bucket = k.bucket \
     AND e.customer_id = k.id AND d.bucket = e.bucket AND d.enrollment_id = e.enrollment_id \
     AND d.state <> $2"
);
/// What they did, and what somebody did to them after they were made; going through segments and flows
/// is neither.
const DID: &str = concat!(
    listed!("i.customer_id"),
    ids!(),
    " AS k CROSS JOIN customers AS c CROSS JOIN interactions AS i WHERE c.bucket = k.bucket \
     AND c.customer_id = k.id AND i.bucket = c.bucket AND i.customer_id = c.customer_id \
     AND (i.kind < 40 OR (i.kind < 60 AND i.at > c.created_at))"
);
const DROP: &str = concat!(
    "DELETE FROM import_changes WHERE (bucket, import, customer_id) IN \
     (SELECT k.bucket, CAST($2 AS BIGINT), k.id FROM ",
    ids!(),
    " AS k)"
);

pub(super) const STATEMENTS: &[&str] = &[CHANGED, RANGES, MADE, LATER, SENT, DID, DROP];

/// Numbers of new customers that a statement should find about.
const EXPECTED: i64 = 250;
const BUCKETS: i64 = 1024;

/// What an import is taken back with.
#[derive(Debug, Clone, Copy)]
pub struct Reverting<'a> {
    pub hold: &'a JobHold,
    pub import: ImportNo,
    pub model: &'a DataModel,
    pub by: &'a By,
    pub at: Timestamp,
    /// Whether nothing is to stay written.
    pub is_trial: bool,
}

/// The numbers from which an import took those of its customers: first and end.
pub type MadeRanges = Vec<(i64, i64)>;

impl Store {
    /// Takes back what an import changed of the next customers behind a place; none: that was all.
    pub async fn revert_changed(
        &self,
        reverting: &Reverting<'_>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Option<(Stepped, JobPlace)>> {
        let asked = query(CHANGED)
            .bind(after.map_or(0, |id| i64::from(id.bucket().0)))
            .bind(reverting.import.0)
            .bind(after.map_or(-1, |id| id.0))
            .bind(limit);
        let rows = asked.fetch_all(self.read()).await?;
        let read = |row: &Row| {
            let id: i64 = row.try_get(0)?;
            Ok((CustomerId(id), Before::read(row.text(1)?)?))
        };
        let page: BTreeMap<CustomerId, Before> = rows.iter().map(read).collect::<Result<_>>()?;
        let Some((last, _)) = page.last_key_value() else {
            return Ok(None);
        };
        let place = JobPlace::after(*last);
        let ids: Vec<CustomerId> = page.keys().copied().collect();
        let mut tx = self.write_about(&ids).await?;
        let names = customer_edits::keep(&mut tx, ids.iter().copied()).await?;
        let later = found(&mut tx, LATER, &ids, Some(reverting.import.0)).await?;
        let mut left: BTreeMap<CustomerId, String> = BTreeMap::new();
        left.extend(later.into_iter().map(|id| (id, LATER_IMPORT.to_owned())));
        let page = page
            .into_iter()
            .filter(|(id, _)| names.contains_key(id) && !left.contains_key(id));
        let page: BTreeMap<CustomerId, Before> = page.collect();
        let back = Back {
            names: &names,
            model: reverting.model,
            by: reverting.by,
            at: reverting.at,
        };
        let (changed, refused) = import_back::put_back(&mut tx, &page, &back).await?;
        left.extend(refused);
        let drop = query(DROP).bind(numbers(&ids)).bind(reverting.import.0);
        drop.execute(&mut tx).await?;
        let stepped = self.finish(tx, reverting, (ids.len(), changed), place, (&names, left));
        Ok(Some((stepped.await?, place)))
    }

    /// The numbers from which an import took those of the customers it made.
    pub async fn made_ranges(&self, import: ImportNo) -> Result<MadeRanges> {
        let rows = query(RANGES).bind(import.0).fetch_all(self.read()).await?;
        let mut ranges = MadeRanges::new();
        for row in &rows {
            let (first, count): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            match ranges.last_mut().filter(|(_, end)| *end == first) {
                Some((_, end)) => *end += count,
                None => ranges.push((first, first + count)),
            }
        }
        Ok(ranges)
    }

    /// Deletes the next of those whom an import made, behind a place, as if they had never been there; who
    /// was written to or did something since is left. None: that was all.
    pub async fn revert_made(
        &self,
        reverting: &Reverting<'_>,
        ranges: &MadeRanges,
        after: Option<CustomerId>,
        limit: usize,
    ) -> Result<Option<(Stepped, JobPlace)>> {
        let Some((ids, place)) = self.made_after(ranges, after, limit).await? else {
            return Ok(None);
        };
        let mut tx = self.write_about(&ids).await?;
        let names = customer_edits::keep(&mut tx, ids.iter().copied()).await?;
        let mut left: BTreeMap<CustomerId, String> = BTreeMap::new();
        let withheld = DispatchState::Withheld.number();
        for (statement, value, why) in [
            (SENT, Some(withheld), "was written to since"),
            (DID, None, "did something or was changed since"),
            (LATER, Some(reverting.import.0), LATER_IMPORT),
        ] {
            let found = found(&mut tx, statement, &ids, value).await?;
            left.extend(found.into_iter().map(|id| (id, why.to_owned())));
        }
        let gone = names.keys().filter(|id| !left.contains_key(id));
        let gone: Vec<CustomerId> = gone.copied().collect();
        let deleted = erasure::unmake(&mut tx, &gone, reverting.at).await?;
        let counts = (ids.len(), deleted);
        let stepped = self.finish(tx, reverting, counts, place, (&names, left));
        Ok(Some((stepped.await?, place)))
    }

    async fn made_after(
        &self,
        ranges: &MadeRanges,
        after: Option<CustomerId>,
        limit: usize,
    ) -> Result<Option<(Vec<CustomerId>, JobPlace)>> {
        let all: i64 = ranges.iter().map(|(first, end)| end - first).sum();
        let together = (EXPECTED * BUCKETS / all.max(1)).clamp(1, BUCKETS);
        let after = after.map_or(-1, |id| id.0);
        let mut bucket = (after + 1) >> 48;
        while bucket < BUCKETS {
            let end = (bucket + together).min(BUCKETS);
            let of = |bucket: i64| {
                ranges.iter().map(move |(first, end)| {
                    let low = (bucket << 48) + first;
                    (bucket, low.max(after + 1), (bucket << 48) + end)
                })
            };
            let keys: Vec<(i64, i64, i64)> = (bucket..end).flat_map(of).collect();
            let found: Vec<(i64,)> = listed(query(MADE).bind(json(&keys)), self.read()).await?;
            let mut found: Vec<CustomerId> =
                found.into_iter().map(|(id,)| CustomerId(id)).collect();
            found.sort_unstable();
            let is_cut = found.len() > limit;
            found.truncate(limit);
            match found.last() {
                Some(last) if is_cut => return Ok(Some((found.clone(), JobPlace::Made(last.0)))),
                Some(_) => return Ok(Some((found, JobPlace::Made((end << 48) - 1)))),
                None => bucket = end,
            }
        }
        Ok(None)
    }

    /// Moves the job on with what was done, or without it.
    async fn finish(
        &self,
        mut tx: Tx,
        reverting: &Reverting<'_>,
        (asked, changed): (usize, u64),
        place: JobPlace,
        (names, left): (&BTreeMap<CustomerId, String>, BTreeMap<CustomerId, String>),
    ) -> Result<Stepped> {
        if reverting.is_trial {
            tx.rollback().await?;
            tx = self.begin().await?;
        }
        let failure = |(id, what): (CustomerId, String)| JobFailure {
            who: names.get(&id).cloned(),
            what,
        };
        let failures: Vec<JobFailure> = left.into_iter().map(failure).collect();
        let failed = failures.len() as u64;
        let step = Step {
            place,
            done: (asked as u64).saturating_sub(failed),
            changed,
            failures: &failures,
        };
        let standing = job_holds::step(&mut tx, reverting.hold, &step).await?;
        if standing == JobStanding::Lost {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(Stepped {
            changed,
            failed,
            standing,
        })
    }
}

const LATER_IMPORT: &str = "a later import changed this customer";

fn numbers(customers: &[CustomerId]) -> String {
    super::among::numbers(customers)
}

/// Which of the customers a statement finds.
async fn found(
    tx: &mut Tx,
    statement: &'static str,
    customers: &[CustomerId],
    value: Option<i64>,
) -> Result<BTreeSet<CustomerId>> {
    let mut asked = query(statement).bind(numbers(customers));
    if let Some(value) = value {
        asked = asked.bind(value);
    }
    let found: Vec<(i64,)> = listed(asked, tx).await?;
    Ok(found.into_iter().map(|(id,)| CustomerId(id)).collect())
}
