//! Owns the index of the search: the text of each customer, and which of them hold three characters in a row.
//!
//! It is made behind the changes, in short transactions. A file has an index of FTS5 beside the texts
//! (sqlite.org/fts5.html), a server one of `pg_trgm` on them (PostgreSQL's manual, appendix F).

use std::collections::HashMap;

use super::db::Store;
use super::dialect::{Dialect, ids, listed, rows};
use super::error::Result;
use super::listing::{json, listed};
use super::revisions::Published;
use super::search_fields::{SearchedFields, sequence};
use super::search_marks::{self, Stretch};
use super::sequences;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::{BUCKETS, Bucket};

const OLD: &str = concat!(
    listed!("s.customer_id, s.text"),
    ids!(),
    " AS k CROSS JOIN search_texts AS s WHERE s.bucket = k.bucket AND s.customer_id = k.id"
);
/// A file finds the texts by the numbers without buckets.
const OLD_IN_FILE: &str = concat!(
    listed!("s.customer_id, s.text"),
    ids!(),
    " AS k CROSS JOIN search_texts AS s WHERE s.number = (k.id & 281474976710655) \
     AND s.bucket = k.bucket"
);
const WRITE: &str = concat!(
    "INSERT INTO search_texts (bucket, customer_id, text) SELECT j.id >> 48, j.id, j.text FROM ",
    rows!(id BIGINT 0, text TEXT 1),
    " AS j WHERE true ON CONFLICT (bucket, customer_id) DO UPDATE SET text = excluded.text"
);
const WRITE_IN_FILE: &str = concat!(
    "INSERT INTO search_texts (number, bucket, customer_id, text) \
     SELECT (j.id & 281474976710655), j.id >> 48, j.id, j.text FROM ",
    rows!(id BIGINT 0, text TEXT 1),
    " AS j WHERE true ON CONFLICT (number) DO UPDATE SET text = excluded.text"
);
const REMOVE: &str = concat!(
    "DELETE FROM search_texts WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);
const REMOVE_IN_FILE: &str = concat!(
    "DELETE FROM search_texts WHERE number IN (SELECT (k.id & 281474976710655) FROM ",
    ids!(),
    " AS k WHERE k.bucket = k.id >> 48)"
);
/// The index itself holds no text: what is taken out of it is told again.
const TAKE_OUT: &str = concat!(
    "INSERT INTO search_index (search_index, rowid, text) SELECT 'delete', (j.id & 281474976710655), j.text FROM ",
    rows!(id BIGINT 0, text TEXT 1),
    " AS j"
);
const PUT_IN: &str = concat!(
    "INSERT INTO search_index (rowid, text) SELECT (j.id & 281474976710655), j.text FROM ",
    rows!(id BIGINT 0, text TEXT 1),
    " AS j"
);
const NEXT: &str = concat!(
    listed!("n.customer_id"),
    "(SELECT c.customer_id FROM ",
    rows!(bucket BIGINT 0, low BIGINT 1, high BIGINT 2),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.customer_id > j.low \
     AND c.customer_id < j.high ORDER BY c.bucket, c.customer_id LIMIT $2) AS n"
);
const SWEEP: &str = "VACUUM (SKIP_LOCKED, ANALYZE) search_texts";
const FIELDS: &str = "SELECT hash FROM search_fields LIMIT 1";
const FORGET: &str = "DELETE FROM search_fields";
const NOTE: &str = "INSERT INTO search_fields (hash) VALUES ($1)";

pub(super) const STATEMENTS: &[&str] = &[NEXT, FIELDS, FORGET, NOTE];
pub(super) const IN_FILE: &[&str] = &[OLD_IN_FILE, WRITE_IN_FILE, REMOVE_IN_FILE, TAKE_OUT, PUT_IN];
pub(super) const ON_SERVER: &[&str] = &[OLD, WRITE, REMOVE];

impl Store {
    /// Sees that the texts are made of the fields that this revision has: after a change of them,
    /// everybody's is to be made. Whether that is so now.
    pub async fn search_by(&self, published: &Published) -> Result<bool> {
        if !self.search_by_others(published).await? {
            return Ok(false);
        }
        let fields = SearchedFields::of(published)?;
        let customers = self.customer_count().await?;
        let mut tx = self.write().await?;
        query(FORGET).execute(&mut tx).await?;
        query(NOTE).bind(&fields.hash).execute(&mut tx).await?;
        let next = sequences::next(&mut tx, "customer").await?;
        if customers > 0 {
            search_marks::mark_range(&mut tx, 0..next, customers).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether the texts are made of other fields than this revision has.
    pub(super) async fn search_by_others(&self, published: &Published) -> Result<bool> {
        let fields = SearchedFields::of(published)?;
        let known: Option<String> = query_scalar(FIELDS).fetch_optional(self.read()).await?;
        Ok(known.as_ref() != Some(&fields.hash))
    }

    /// Tidies up after very many texts were made, where that is not done by itself: until the server has
    /// counted anew it takes a word that many have for a rare one, and newer entries are not sorted in.
    pub async fn sweep_texts(&self) -> Result<()> {
        if self.dialect() != Dialect::Sqlite {
            query(SWEEP).execute(&self.writers).await?;
        }
        Ok(())
    }

    /// Makes the texts of up to about so many customers who wait for it, in one transaction; single
    /// customers before ranges, which may be left out. How many; 0: nobody waits, or texts are made of
    /// other fields now.
    pub async fn index_search(
        &self,
        published: &Published,
        limit: u32,
        ranges: bool,
    ) -> Result<u64> {
        let fields = SearchedFields::of(published)?;
        let mut tx = self.begin().await?;
        let known: Option<String> = query_scalar(FIELDS).fetch_optional(&mut tx).await?;
        if known.as_ref() != Some(&fields.hash) {
            // Another process goes by other files by now: what it marked is to be made of those.
            tx.rollback().await?;
            return Ok(0);
        }
        let mut done = 0;
        let mut customers = search_marks::take(&mut tx, limit).await?;
        if customers.is_empty() && ranges {
            (customers, done) = some_of_range(&mut tx, limit).await?;
        }
        if customers.is_empty() && done == 0 {
            tx.rollback().await?;
            return Ok(0);
        }
        index(&mut tx, &fields, &customers).await?;
        tx.commit().await?;
        Ok((customers.len() as u64).max(done))
    }
}

/// Those of the customers whose stored text is not made of their fields as they are now.
pub(super) async fn differing(
    tx: &mut Tx,
    published: &Published,
    customers: &[i64],
) -> Result<Vec<i64>> {
    let fields = SearchedFields::of(published)?;
    let texts = fields.texts(customers, &mut *tx).await?;
    let stored = old(tx, customers).await?;
    let differs = |(id, text): &(i64, String)| stored.get(id) != Some(text);
    Ok(texts
        .into_iter()
        .filter(differs)
        .map(|(id, _)| id)
        .collect())
}

/// The next customers of the first range. Beside them 1 when there is a range, even if nobody is left in it.
async fn some_of_range(tx: &mut Tx, limit: u32) -> Result<(Vec<i64>, u64)> {
    let Some(range) = search_marks::range(tx).await? else {
        return Ok((Vec::new(), 0));
    };
    let buckets = next_buckets(range, limit);
    let rows: Vec<[i64; 3]> = buckets
        .clone()
        .map(|bucket| bounds(range, bucket))
        .collect();
    let asked = query(NEXT).bind(json(&rows)).bind(limit);
    let mut found: Vec<(i64,)> = listed(asked, &mut *tx).await?;
    found.sort_unstable();
    // Of several shards each gives so many.
    found.truncate(limit as usize);
    let is_whole = found.len() < limit as usize;
    let reached = match found.last() {
        Some((last,)) if !is_whole => Some(*last),
        _ if buckets.end < BUCKETS => Some(Bucket(buckets.end).base() - 1),
        _ => None,
    };
    search_marks::reached(tx, range, reached).await?;
    Ok((found.into_iter().map(|(id,)| id).collect(), 1))
}

/// So many buckets as hold about as many of the range, which lie evenly in all.
fn next_buckets(range: Stretch, limit: u32) -> std::ops::Range<u16> {
    let each = range.customers / i64::from(BUCKETS) + 1;
    let some = (i64::from(limit) / each).clamp(1, i64::from(BUCKETS));
    let first = range.bucket();
    let end = i64::from(first)
        .saturating_add(some)
        .min(i64::from(BUCKETS));
    first..u16::try_from(end).unwrap_or(BUCKETS)
}

/// The bucket, and the numbers between which its customers of the range lie.
fn bounds(range: Stretch, bucket: u16) -> [i64; 3] {
    let base = Bucket(bucket).base();
    let low = (base + range.first - 1).max(range.reached);
    [i64::from(bucket), low, base + range.until]
}

async fn index(tx: &mut Tx, fields: &SearchedFields, customers: &[i64]) -> Result<()> {
    let texts = fields.texts(customers, &mut *tx).await?;
    let mut old = old(tx, customers).await?;
    let is_new = |(id, text): &(i64, String)| old.get(id) != Some(text);
    let new: Vec<(i64, String)> = texts.into_iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(());
    }
    if tx.dialect() != Dialect::Sqlite {
        query(WRITE).bind(json(&new)).execute(tx).await?;
        return Ok(());
    }
    let gone = new
        .iter()
        .filter_map(|(id, _)| Some((*id, old.remove(id)?)));
    take_out(tx, gone.collect()).await?;
    let new = json(&new);
    query(WRITE_IN_FILE).bind(&new).execute(&mut *tx).await?;
    query(PUT_IN).bind(&new).execute(tx).await?;
    Ok(())
}

async fn old(tx: &mut Tx, customers: &[i64]) -> Result<HashMap<i64, String>> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => OLD_IN_FILE,
        Dialect::Postgres | Dialect::Citus => OLD,
    };
    let old: Vec<(i64, String)> = listed(query(statement).bind(json(customers)), tx).await?;
    Ok(old.into_iter().collect())
}

/// In the order of the index, which takes them faster then.
async fn take_out(tx: &mut Tx, mut texts: Vec<(i64, String)>) -> Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    texts.sort_unstable_by_key(|(id, _)| sequence(*id));
    query(TAKE_OUT).bind(json(&texts)).execute(tx).await?;
    Ok(())
}

/// Removes customers from the index; after their own rows, which whoever makes a text keeps meanwhile.
pub(super) async fn remove(tx: &mut Tx, customers: &[i64]) -> Result<()> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => {
            let old = old(tx, customers).await?;
            take_out(tx, old.into_iter().collect()).await?;
            REMOVE_IN_FILE
        }
        Dialect::Postgres | Dialect::Citus => REMOVE,
    };
    query(statement).bind(json(customers)).execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_gone_through_bucket_by_bucket() {
        let range = |reached| Stretch {
            first: 100,
            until: 8_292,
            customers: 8_192,
            reached,
        };
        assert_eq!(next_buckets(range(-1), 256), 0..28);
        assert_eq!(bounds(range(-1), 0), [0, 99, 8_292]);
        let base = Bucket(28).base();
        assert_eq!(next_buckets(range(base - 1), 256), 28..56);
        // In the middle of a bucket it goes on after the last one.
        assert_eq!(
            bounds(range(base + 105), 28),
            [28, base + 105, base + 8_292]
        );
        let everybody = Stretch {
            first: 0,
            until: 5_000_000,
            customers: 1_000_000,
            reached: Bucket(1_023).base() + 7,
        };
        assert_eq!(next_buckets(everybody, 256), 1_023..1_024);
    }
}
