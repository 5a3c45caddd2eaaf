//! Owns who comes back after a deletion, by whatever path: they are suspended, and what barred us from
//! writing to them bars us again.
//!
//! Rows are hashed and looked up before the transaction that writes them, so that nobody waits for it;
//! within, one number says whether anybody was deleted meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use super::bars::{self, Barred};
use super::customer_sheet::Sheet;
use super::db::Store;
use super::error::Result;
use super::gathering::FieldEdit;
use super::nodes::{self, Grip};
use super::seal;
use super::tombstones::{self, NOBODY};
use super::tx::{On, Tx};
use crate::domain::audit::By;
use crate::domain::bars::Bars;
use crate::domain::customer::FieldValue;
use crate::domain::identifier::Identifier;
use crate::domain::ids::{Bucket, CustomerId};

/// Rows that lead to tombstones, as of a number that moves with every deletion.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    rev: i64,
    found: BTreeMap<usize, BTreeSet<i64>>,
}

/// A row that may be somebody's return, and the customer it was written to.
pub(super) type Suspect = (usize, CustomerId);

impl Known {
    /// The buckets of the rows that were found.
    pub(super) fn buckets(&self, sheet: &Sheet) -> BTreeSet<Bucket> {
        self.found.keys().map(|row| sheet.bucket(*row)).collect()
    }
}

/// Looks rows up ahead of their transaction.
pub(super) async fn ahead(store: &Store, sheet: &Sheet, rows: Range<usize>) -> Result<Known> {
    let rev = tombstones::rev(store.read()).await?;
    let found = look(store.read(), sheet, rows, rev).await?;
    Ok(Known { rev, found })
}

async fn look<'c>(
    on: impl Into<On<'c>>,
    sheet: &Sheet,
    rows: impl IntoIterator<Item = usize>,
    rev: i64,
) -> Result<BTreeMap<usize, BTreeSet<i64>>> {
    let mut on = on.into();
    if rev == NOBODY {
        return Ok(BTreeMap::new());
    }
    let Some(seal) = tombstones::secret(on.again()).await? else {
        return Ok(BTreeMap::new());
    };
    let sealed = sheet.sealed(&seal);
    let digests = rows.into_iter().flat_map(|row| {
        let digests = sealed[row].iter().flatten().map(seal::written);
        digests.map(move |digest| (seal::bucket(&digest).0, digest, row))
    });
    let digests: Vec<(u16, String, usize)> = digests.collect();
    tombstones::among(&digests, on).await
}

/// Bars those of the suspects who were deleted before. New customers are nobody else's yet; of those who
/// were there the buckets are kept.
pub(super) async fn bar(
    tx: &mut Tx,
    sheet: &Sheet,
    (new, moved): (&[Suspect], &[Suspect]),
    known: Known,
    (by, at): (&By, Timestamp),
) -> Result<()> {
    if new.is_empty() && moved.is_empty() {
        return Ok(());
    }
    let rev = tombstones::rev(&mut *tx).await?;
    let suspects = || new.iter().chain(moved);
    let found = if rev == known.rev {
        known.found
    } else {
        let rows: Vec<usize> = suspects().map(|(row, _)| *row).collect();
        look(&mut *tx, sheet, rows, rev).await?
    };
    let from: BTreeMap<CustomerId, BTreeSet<i64>> = suspects()
        .filter_map(|(row, id)| Some((*id, found.get(row)?.clone())))
        .collect();
    if from.is_empty() {
        return Ok(());
    }
    let there = moved
        .iter()
        .map(|(_, id)| id)
        .filter(|id| from.contains_key(id));
    let buckets: BTreeSet<Bucket> = there.map(|id| id.bucket()).collect();
    // Kept before any row was, but for whoever was deleted since.
    if let (Tx::Postgres(_), false) = (&*tx, buckets.is_empty()) {
        nodes::keep(tx, buckets, Grip::AtOnce).await?;
    }
    suspend(tx, from, by, at).await
}

/// Keeps the buckets of those who get other addresses, before anything of them is kept: one may be that of
/// somebody who was deleted.
pub(super) async fn foresee(tx: &mut Tx, edits: &[&FieldEdit]) -> Result<()> {
    let readdressed = edits.iter().filter(|edit| readdresses(&edit.fields));
    let buckets: BTreeSet<Bucket> = readdressed.map(|edit| edit.customer.bucket()).collect();
    if let (Tx::Postgres(_), false) = (&*tx, buckets.is_empty())
        && tombstones::rev(&mut *tx).await? != NOBODY
    {
        nodes::keep(tx, buckets, Grip::Sweeping).await?;
    }
    Ok(())
}

/// Whether somebody who gets these fields may be recognized by them.
pub(super) fn readdresses(fields: &[(String, Option<FieldValue>)]) -> bool {
    fields
        .iter()
        .any(|(field, _)| Identifier::is_held_by(field))
}

async fn suspend(
    tx: &mut Tx,
    mut from: BTreeMap<CustomerId, BTreeSet<i64>>,
    by: &By,
    at: Timestamp,
) -> Result<()> {
    let all: BTreeSet<i64> = from.values().flatten().copied().collect();
    let kept = tombstones::read(tx, &all).await?;
    for tombstones in from.values_mut() {
        tombstones.retain(|number| kept.contains_key(number));
    }
    from.retain(|_, tombstones| !tombstones.is_empty());
    let ids: Vec<CustomerId> = from.keys().copied().collect();
    let together = |one: Barred| {
        let tombstones = from.get(&one.id).into_iter().flatten();
        let kept = tombstones.filter_map(|number| kept.get(number));
        let back: Vec<Bars> = kept.map(|t| t.bars.clone().when_back()).collect();
        let bars = back.iter().fold(one.bars.clone(), Bars::united);
        (one, bars)
    };
    let barred = bars::of(tx, &ids).await?.into_iter().map(together);
    let barred: Vec<(Barred, Bars)> = barred.collect();
    bars::raise(tx, &barred, by, at).await?;
    tombstones::note_returned(tx, &from).await
}
