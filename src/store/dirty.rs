//! Owns the change marks: which customers have to be looked at again, by segments and exits.

use std::collections::BTreeSet;
use std::ops::Range;

use super::among::numbers;
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::Result;
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::{Bucket, CustomerId, Stripes};

const MARK: &str = concat!(
    "INSERT INTO dirty (bucket, customer_id, mark) SELECT k.bucket, k.id, 1 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id) DO UPDATE SET mark = dirty.mark + 1"
);

/// Those who are new have no mark yet.
const MARK_NEW: &str = concat!(
    "@insert dirty (bucket, customer_id, mark) SELECT c.bucket, c.customer_id, 1 FROM ",
    rows!(bucket BIGINT 0),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket \
     AND c.customer_id >= (k.bucket << 48) + $2 AND c.customer_id < (k.bucket << 48) + $3"
);

/// What was seen is removed; a mark that has moved since stays for the next look.
const CLEAN: &str = concat!(
    "DELETE FROM dirty WHERE (bucket, customer_id, mark) IN (SELECT j.id >> 48, j.id, j.mark FROM ",
    rows!(id BIGINT 0, mark BIGINT 1),
    " AS j)"
);

/// Stripe by stripe, because the others' may be many.
const SEEN: &str = concat!(
    listed!("d.customer_id, d.mark"),
    "(SELECT customer_id, mark FROM dirty WHERE bucket BETWEEN $2 AND $3 \
     ORDER BY bucket, customer_id LIMIT $1) AS d"
);

const ANY: &str = "SELECT EXISTS (SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023)";

pub(super) const STATEMENTS: &[&str] = &[MARK, MARK_NEW, CLEAN, SEEN, ANY];

/// A customer to look at again, and its mark as it was seen.
pub(super) type Seen = (i64, i64);

impl Store {
    /// Whether any customer waits to be looked at.
    pub async fn any_dirty(&self) -> Result<bool> {
        query_scalar(ANY).fetch_one(self.read()).await
    }

    /// Up to `limit` of those of these stripes who are to be looked at.
    pub(super) async fn seen_dirty(&self, stripes: &Stripes, limit: u32) -> Result<Vec<Seen>> {
        let mut seen: Vec<Seen> = Vec::new();
        for buckets in stripes.ranges() {
            let left = limit.saturating_sub(u32::try_from(seen.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            let asked = query(SEEN)
                .bind(left)
                .bind(*buckets.start())
                .bind(*buckets.end());
            seen.extend(listed::<Seen>(asked, self.read()).await?);
        }
        Ok(seen)
    }
}

/// Marks the customers: a mark moves with every change.
pub(super) async fn mark(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let customers: BTreeSet<CustomerId> = customers.iter().copied().collect();
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    query(MARK).bind(numbers(&customers)).execute(tx).await?;
    Ok(())
}

/// Marks the new customers of these buckets with these sequence numbers.
pub(super) async fn mark_new(
    tx: &mut Tx,
    buckets: &BTreeSet<Bucket>,
    numbers: Range<i64>,
) -> Result<()> {
    let buckets: Vec<[u16; 1]> = buckets.iter().map(|bucket| [bucket.0]).collect();
    let marking = query(MARK_NEW)
        .bind(json(&buckets))
        .bind(numbers.start)
        .bind(numbers.end);
    marking.execute(tx).await?;
    Ok(())
}

/// Removes what was seen and has not moved since.
pub(super) async fn clean(tx: &mut Tx, seen: &[Seen]) -> Result<()> {
    query(CLEAN).bind(json(seen)).execute(tx).await?;
    Ok(())
}
