//! Owns the deletion of customers with all that is known of them: what stays is a tombstone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use super::bars::{self, Barred};
use super::changes;
use super::db::Store;
use super::dialect::{Dialect, ids, listed, rows};
use super::endings;
use super::error::Result;
use super::listing::{json as text_of, listed};
use super::receipts;
use super::seal::{self, Seal};
use super::search_index;
use super::seen::{self, Seen};
use super::sql::query;
use super::tombstones::{self, Tombstone};
use super::traces;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::enrollment::ExitReason;
use crate::domain::field::DataModel;
use crate::domain::identifier::Identifier;
use crate::domain::ids::{Bucket, CustomerId};

/// Deletes the rows that belong to the customers' enrollments.
macro_rules! of_enrollments {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (bucket, enrollment_id) IN (SELECT e.bucket, e.enrollment_id FROM ",
            ids!(),
            " AS k CROSS JOIN enrollments AS e WHERE e.bucket = k.bucket AND e.customer_id = k.id)"
        )
    };
}

/// Deletes the customers' own rows.
macro_rules! of_customers {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
            ids!(),
            " AS k)"
        )
    };
}

const ERASE: [&str; 26] = [
    of_enrollments!("dispatches"),
    of_enrollments!("attempts"),
    of_enrollments!("frozen_messages"),
    of_enrollments!("uncertain"),
    of_customers!("activity"),
    of_customers!("customer_values"),
    of_customers!("customer_tags"),
    of_customers!("list_members"),
    of_customers!("import_changes"),
    of_customers!("subscriptions"),
    of_customers!("dismissals"),
    of_customers!("returned"),
    of_customers!("merged"),
    of_customers!("notes"),
    of_customers!("devices"),
    of_customers!("tasks"),
    of_customers!("memberships"),
    of_customers!("dirty"),
    of_customers!("search_marks"),
    of_customers!("interactions"),
    of_customers!("interaction_keys"),
    of_customers!("nps_answers"),
    of_customers!("environments"),
    of_customers!("notices"),
    of_customers!("past_memberships"),
    of_customers!("customers"),
];
const MERGED: &str = concat!(
    listed!("m.customer_id, m.external_id"),
    ids!(),
    " AS k CROSS JOIN merged AS m WHERE m.bucket = k.bucket AND m.customer_id = k.id"
);
const UNALIAS: &str = concat!(
    "DELETE FROM aliases WHERE (bucket, external_id) IN (SELECT j.bucket, j.external_id FROM ",
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j)"
);
/// Lines of earlier versions name who was added.
const UNNAME: &str = "UPDATE audit SET detail = $2 WHERE what = 'customer-added' \
     AND detail IN (SELECT CAST(value AS TEXT) FROM @each($1))";
/// Overwrites what is deleted, where it would stay in the file (sqlite.org/pragma.html, `secure_delete`).
pub(super) const OVERWRITE: &str = "PRAGMA secure_delete = ON";
pub(super) const AS_USUAL: &str = "PRAGMA secure_delete = OFF";
/// The journal holds pages as they were; emptied, it holds none.
const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// What failed for them is theirs, too, by whichever name it was written down.
const UNFAIL: &str = "DELETE FROM job_errors WHERE who IN \
     (SELECT CAST(value AS TEXT) FROM @each($1))";

/// Rows of files that were not taken and seem to be theirs.
const UNREJECT: &str = "DELETE FROM import_rejects WHERE who IN \
     (SELECT CAST(value AS TEXT) FROM @each($1))";

pub(super) const STATEMENTS: &[&str] = &[MERGED, UNALIAS, UNNAME, UNFAIL, UNREJECT];
pub(super) const ERASING: &[&str] = &ERASE;

impl Store {
    /// Deletes a customer and all that is known of them.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] when they are not there.
    pub async fn delete_customer(
        &self,
        customer: CustomerId,
        by: &By,
        at: Timestamp,
    ) -> Result<()> {
        let model = DataModel::default();
        self.delete_customer_seen(customer, &model, None, by, at)
            .await
    }

    /// The same, if the customer is still as they were seen.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] when they are not.
    pub async fn delete_customer_seen(
        &self,
        customer: CustomerId,
        model: &DataModel,
        seen: Seen<'_>,
        by: &By,
        at: Timestamp,
    ) -> Result<()> {
        let seal = self.made_seal().await?;
        let mut tx = self.write_about(&[customer]).await?;
        seen::require(&mut tx, customer, seen, model).await?;
        match delete(tx, &[customer], &seal, by, at).await? {
            0 => Err(changes::unknown(customer)),
            _ => Ok(()),
        }
    }

    /// Deletes those of the customers who are there, in one transaction; how many. Their live
    /// enrollments end and stay as lines without a person. What else stays: a tombstone of hashes and of
    /// what barred us from writing to them, and one line of the audit with the count and the hashes of
    /// the unique ids.
    pub async fn delete_customers(
        &self,
        customers: &[CustomerId],
        by: &By,
        at: Timestamp,
    ) -> Result<u64> {
        let seal = self.made_seal().await?;
        let tx = self.write_about(customers).await?;
        delete(tx, customers, &seal, by, at).await
    }

    /// Empties a file's journal, so that no page of before is left in it; a reader who still needs it
    /// keeps it until the next time.
    pub async fn empty_journal(&self) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            query(EMPTY_JOURNAL).execute(&self.writers).await?;
        }
        Ok(())
    }
}

async fn delete(
    mut tx: Tx,
    customers: &[CustomerId],
    seal: &Seal,
    by: &By,
    at: Timestamp,
) -> Result<u64> {
    let deleted = delete_within(&mut tx, customers, seal, by, at).await?;
    if deleted > 0 {
        tx.commit().await?;
    }
    Ok(deleted)
}

/// Deletes those of the customers who are there; whoever began the transaction ends it.
pub(super) async fn delete_within(
    tx: &mut Tx,
    customers: &[CustomerId],
    seal: &Seal,
    by: &By,
    at: Timestamp,
) -> Result<u64> {
    let there = bars::of(tx, customers).await?;
    if there.is_empty() {
        return Ok(0);
    }
    let is_file = tx.dialect() == Dialect::Sqlite;
    if is_file {
        query(OVERWRITE).execute(&mut *tx).await?;
    }
    bury(tx, &there, seal, at).await?;
    let since = traces::since(tx, customers).await?;
    erase(tx, &there, at).await?;
    traces::let_go(tx, since, at).await?;
    let hashes = there.iter().filter_map(|one| hash(seal, &one.external_id));
    let detail = json!({ "count": there.len(), "hashes": hashes.collect::<Vec<_>>() });
    let detail = detail.to_string();
    audit::add(tx, by, "customers deleted", Some(&detail), at).await?;
    if is_file {
        query(AS_USUAL).execute(tx).await?;
    }
    Ok(there.len() as u64)
}

fn hash(seal: &Seal, external_id: &str) -> Option<String> {
    let digest = seal.digest(Identifier::Id, external_id)?;
    Some(seal::written(&digest))
}

/// Sets a tombstone for each. Those they came back from go up in it.
async fn bury(tx: &mut Tx, there: &[Barred], seal: &Seal, at: Timestamp) -> Result<()> {
    let ids: Vec<CustomerId> = there.iter().map(|one| one.id).collect();
    let from = tombstones::returned(tx, &ids).await?;
    let before: BTreeSet<i64> = from.values().flatten().copied().collect();
    let before = tombstones::read(tx, &before).await?;
    let merged = aliases(tx, &ids).await?;
    let none = Vec::new();
    let tombstone = |one: &Barred| {
        let merged = merged.get(&one.id).unwrap_or(&none);
        let mut tombstone = Tombstone {
            digests: digests(one, merged, seal),
            bars: one.bars.clone().alone(),
        };
        let earlier = from.get(&one.id).into_iter().flatten();
        for earlier in earlier.filter_map(|number| before.get(number)) {
            tombstone.digests.extend(earlier.digests.iter().cloned());
            tombstone.bars = tombstone.bars.united(&earlier.bars);
        }
        tombstone
    };
    let new: Vec<Tombstone> = there.iter().map(tombstone).collect();
    tombstones::remove(tx, &before).await?;
    tombstones::add(tx, &new, at).await?;
    Ok(())
}

/// Whatever led to them leads nowhere.
async fn unalias(tx: &mut Tx, ids: &[CustomerId]) -> Result<()> {
    let merged = aliases(tx, ids).await?;
    let gone = merged.values().flatten();
    let gone: Vec<(u16, &String)> = gone.map(|id| (Bucket::of(id).0, id)).collect();
    if !gone.is_empty() {
        query(UNALIAS).bind(text_of(&gone)).execute(tx).await?;
    }
    Ok(())
}

/// The unique ids of those who were merged into customers.
async fn aliases(tx: &mut Tx, ids: &[CustomerId]) -> Result<BTreeMap<CustomerId, Vec<String>>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(i64, String)> = listed(query(MERGED).bind(text_of(&ids)), tx).await?;
    let mut merged: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for (customer, external_id) in rows {
        merged
            .entry(CustomerId(customer))
            .or_default()
            .push(external_id);
    }
    Ok(merged)
}

fn digests(one: &Barred, merged: &[String], seal: &Seal) -> BTreeSet<String> {
    let ids = merged.iter().chain([&one.external_id]);
    let ids = ids.filter_map(|id| seal.digest(Identifier::Id, id));
    let email = one.email.as_deref();
    let email = email.and_then(|email| seal.digest(Identifier::Email, email));
    let phone = one.phone.as_deref();
    let phone = phone.and_then(|phone| seal.digest(Identifier::Phone, phone));
    let all = ids.chain(email).chain(phone);
    all.map(|digest| seal::written(&digest)).collect()
}

/// Deletes customers as if they had never been there: who made them takes them back. How many.
pub(super) async fn unmake(tx: &mut Tx, customers: &[CustomerId], at: Timestamp) -> Result<u64> {
    let there = bars::of(tx, customers).await?;
    if there.is_empty() {
        return Ok(0);
    }
    let is_file = tx.dialect() == Dialect::Sqlite;
    if is_file {
        query(OVERWRITE).execute(&mut *tx).await?;
    }
    erase(tx, &there, at).await?;
    if is_file {
        query(AS_USUAL).execute(tx).await?;
    }
    Ok(there.len() as u64)
}

async fn erase(tx: &mut Tx, there: &[Barred], at: Timestamp) -> Result<()> {
    let ids: Vec<CustomerId> = there.iter().map(|one| one.id).collect();
    endings::end(tx, &ids, ExitReason::CustomerDeleted, at).await?;
    unalias(tx, &ids).await?;
    remove_rows(tx, &ids).await?;
    let names: Vec<&str> = there.iter().map(|one| one.external_id.as_str()).collect();
    query(UNNAME)
        .bind(text_of(&names))
        .bind("a customer who was deleted later")
        .execute(&mut *tx)
        .await?;
    let addresses = there.iter().flat_map(|one| [&one.email, &one.phone]);
    let addresses = addresses.flatten().map(String::as_str);
    let names: Vec<&str> = names.into_iter().chain(addresses).collect();
    for statement in [UNFAIL, UNREJECT] {
        query(statement)
            .bind(text_of(&names))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Removes every row that is about these customers.
pub(super) async fn remove_rows(tx: &mut Tx, customers: &[CustomerId]) -> Result<()> {
    let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let listed = text_of(&numbers);
    receipts::forget(tx, customers).await?;
    for statement in ERASE {
        query(statement).bind(&listed).execute(&mut *tx).await?;
    }
    search_index::remove(tx, &numbers).await
}
