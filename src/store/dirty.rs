//! Owns the change marks: which customers have to be looked at again, by segments and exits; whose fields
//! changed is marked for the search as well.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::db::Store;
use super::dialect::{Dialect, listed, rows};
use super::error::Result;
use super::listing::{json, listed};
use super::search_marks;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::ids::{Bucket, CustomerId, Stripes};
use crate::domain::touched::Touched;

/// What becomes of a mark that is there: it moves, and says what changed besides.
macro_rules! again {
    () => {
        " ON CONFLICT (bucket, customer_id) DO UPDATE SET mark = dirty.mark + 1, \
         what = dirty.what | excluded.what"
    };
}
pub(super) use again;

const MARK: &str = concat!(
    "INSERT INTO dirty (bucket, customer_id, mark, what) SELECT j.id >> 48, j.id, 1, j.what FROM ",
    rows!(id BIGINT 0, what BIGINT 1),
    " AS j WHERE true",
    again!()
);

/// Those who are new have no mark yet.
const MARK_NEW: &str = concat!(
    "@insert dirty (bucket, customer_id, mark, what) SELECT c.bucket, c.customer_id, 1, $4 FROM ",
    rows!(bucket BIGINT 0),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket \
     AND c.customer_id >= (k.bucket << 48) + $2 AND c.customer_id < (k.bucket << 48) + $3"
);

/// What was seen is removed; a mark that has moved since stays for the next look. One that was taken
/// and set anew meanwhile is the same mark only if it says the same.
const CLEAN: &str = concat!(
    "DELETE FROM dirty WHERE (bucket, customer_id, mark, what) IN \
     (SELECT j.id >> 48, j.id, j.mark, j.what FROM ",
    rows!(id BIGINT 0, mark BIGINT 1, what BIGINT 2),
    " AS j)"
);

/// Stripe by stripe, because the others' may be many.
const SEEN: &str = concat!(
    listed!("d.customer_id, d.mark, d.what"),
    "(SELECT customer_id, mark, what FROM dirty WHERE bucket BETWEEN $2 AND $3 \
     ORDER BY bucket, customer_id LIMIT $1) AS d"
);

const ANY: &str =
    "@everywhere(waiting)SELECT EXISTS (SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023)";

/// A server's index goes on holding what was removed, and whoever asks for the first mark reads all of it.
const SWEEP: &str = "VACUUM (SKIP_LOCKED) dirty";

pub(super) const STATEMENTS: &[&str] = &[MARK, MARK_NEW, CLEAN, SEEN, ANY];

/// A customer to look at again, its mark as it was seen, and what changed.
pub(super) type Seen = (i64, i64, i64);

impl Store {
    /// Whether any customer waits to be looked at.
    pub async fn any_dirty(&self) -> Result<bool> {
        query_scalar(ANY).fetch_one(self.read()).await
    }

    /// Tidies up after very many marks were removed, where that is not done by itself.
    pub async fn sweep_marks(&self) -> Result<()> {
        if self.dialect() != Dialect::Sqlite {
            query(SWEEP).execute(&self.writers).await?;
        }
        Ok(())
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
                .bind(*buckets.end())
                .at_most(left);
            seen.extend(listed::<Seen>(asked, self.read()).await?);
        }
        Ok(seen)
    }
}

/// Marks the customers alike: a mark moves with every change.
pub(super) async fn mark(tx: &mut Tx, what: Touched, customers: &[CustomerId]) -> Result<()> {
    mark_each(tx, customers.iter().map(|customer| (*customer, what))).await
}

/// Marks each customer with what changed of it.
pub(super) async fn mark_each(
    tx: &mut Tx,
    changed: impl IntoIterator<Item = (CustomerId, Touched)>,
) -> Result<()> {
    let mut marks: BTreeMap<CustomerId, Touched> = BTreeMap::new();
    for (customer, what) in changed {
        *marks.entry(customer).or_default() |= what;
    }
    if marks.is_empty() {
        return Ok(());
    }
    let renamed = marks.iter().filter(|(_, what)| what.meets(Touched::FIELDS));
    search_marks::mark(tx, renamed.map(|(customer, _)| *customer)).await?;
    let rows = marks.into_iter().map(|(id, what)| (id.0, what.bits()));
    let rows: Vec<(i64, i64)> = rows.collect();
    query(MARK).bind(json(&rows)).execute(tx).await?;
    Ok(())
}

/// Marks the new customers of these buckets with these sequence numbers.
pub(super) async fn mark_new(
    tx: &mut Tx,
    buckets: &BTreeSet<Bucket>,
    numbers: Range<i64>,
) -> Result<()> {
    search_marks::mark_new(tx, buckets, numbers.clone()).await?;
    let buckets: Vec<[u16; 1]> = buckets.iter().map(|bucket| [bucket.0]).collect();
    let marking = query(MARK_NEW)
        .bind(json(&buckets))
        .bind(numbers.start)
        .bind(numbers.end)
        .bind(Touched::EVERYTHING.bits());
    marking.execute(tx).await?;
    Ok(())
}

/// Removes what was seen and has not moved since.
pub(super) async fn clean(tx: &mut Tx, seen: &[Seen]) -> Result<()> {
    query(CLEAN).bind(json(seen)).execute(tx).await?;
    Ok(())
}
