//! Owns lists: fixed sets of customers that people make, and who is on them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::audit;
use super::bind::Bind;
use super::db::Store;
use super::error::{Error, Result};
use super::instants::{instant, micros};
pub(super) use super::list_members::{Listing, put};
use super::names;
use super::rows;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::list::List;
use crate::domain::revision::NameKind;

const ADD: &str = "INSERT INTO lists (list, name, description, created_at, actor, source) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const ALL: &str =
    "SELECT list, name, description, created_at, actor, source FROM lists ORDER BY name";
const COUNTS: &str = "@everywhere(people)SELECT list, count(*) FROM list_members \
     WHERE bucket BETWEEN 0 AND 1023 GROUP BY list";
const NUMBER: &str = "SELECT list FROM lists WHERE name = $1";
const DESCRIBE: &str = "UPDATE lists SET description = $2 WHERE list = $1";
const RENAME: &str = "UPDATE lists SET name = $2 WHERE list = $1";
const RENAME_NUMBER: &str = "UPDATE names SET name = $2 WHERE number = $1";
const REMOVE: &str = "DELETE FROM lists WHERE list = $1";
const MEMBERS: &str = "@everywhere(people)SELECT customer_id FROM list_members \
     WHERE bucket BETWEEN $1 AND 1023 AND list = $2 AND customer_id > $3 \
     ORDER BY bucket, customer_id LIMIT $4";
const OF: &str = "SELECT n.name FROM list_members AS m CROSS JOIN names AS n \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND n.number = m.list ORDER BY n.name";
const OF_ONE: &str =
    "SELECT list, added_at FROM list_members WHERE bucket = $1 AND customer_id = $2";
pub(super) const STATEMENTS: &[&str] = &[
    ADD,
    ALL,
    COUNTS,
    NUMBER,
    DESCRIBE,
    RENAME,
    RENAME_NUMBER,
    REMOVE,
    MEMBERS,
    OF,
    OF_ONE,
];

const COLUMNS: [(&str, &str); 4] = [
    ("bucket", "BIGINT"),
    ("list", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("added_at", "BIGINT"),
];

impl Store {
    /// Makes an empty list.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is one of this name.
    pub async fn add_list(
        &self,
        name: &str,
        description: Option<&str>,
        by: &By,
        at: Timestamp,
    ) -> Result<NameNo> {
        let mut tx = self.write().await?;
        if number(&mut tx, name).await?.is_some() {
            return Err(Error::Conflict(format!("there is a list `{name}` already")));
        }
        let named = [(NameKind::List, name.to_owned())];
        let numbers = names::ensure(&mut tx, &named).await?;
        let list = numbers.number(NameKind::List, name);
        let list = list.ok_or_else(|| Error::Corrupt(format!("`{name}` has no number")))?;
        query(ADD)
            .bind(list.0)
            .bind(name)
            .bind(description)
            .bind(micros(at))
            .bind(by.actor.as_str())
            .bind(by.source.as_str())
            .execute(&mut tx)
            .await?;
        audit::add(&mut tx, by, "list made", Some(name), at).await?;
        tx.commit().await?;
        Ok(list)
    }

    /// All lists with their counts, by name.
    pub async fn lists(&self) -> Result<Vec<List>> {
        let mut tx = self.snapshot().await?;
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for row in &query(COUNTS).fetch_all(&mut tx).await? {
            let count: i64 = row.try_get(1)?;
            counts.insert(row.try_get(0)?, count.unsigned_abs());
        }
        let rows = query(ALL).fetch_all(&mut tx).await?;
        let read = |row: &Row| {
            let list: i32 = row.try_get(0)?;
            Ok(List {
                name: row.try_get(1)?,
                description: row.try_get(2)?,
                created_at: instant(row.try_get(3)?)?,
                actor: row.try_get(4)?,
                source: row.try_get(5)?,
                customers: counts.get(&list).copied().unwrap_or_default(),
            })
        };
        rows.iter().map(read).collect()
    }

    /// The number of a list.
    pub async fn list_number(&self, name: &str) -> Result<Option<NameNo>> {
        let number: Option<i32> = query_scalar(NUMBER)
            .bind(name)
            .fetch_optional(self.read())
            .await?;
        Ok(number.map(NameNo))
    }

    /// Names a list anew, describes it anew, or both.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when the new name is, or was, another list's.
    pub async fn change_list(
        &self,
        name: &str,
        new_name: Option<&str>,
        description: Option<Option<&str>>,
        by: &By,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let list = required(&mut tx, name).await?;
        if let Some(description) = description {
            let describe = query(DESCRIBE).bind(list.0).bind(description);
            describe.execute(&mut tx).await?;
        }
        if let Some(new) = new_name.filter(|new| *new != name) {
            let numbers = names::all(&mut tx).await?;
            if numbers.number(NameKind::List, new).is_some() {
                return Err(Error::Conflict(format!(
                    "`{new}` is, or was, the name of another list: choose a name that is new"
                )));
            }
            for statement in [RENAME, RENAME_NUMBER] {
                let rename = query(statement).bind(list.0).bind(new);
                rename.execute(&mut tx).await?;
            }
        }
        let detail = match new_name {
            Some(new) => format!("{name}, now {new}"),
            None => name.to_owned(),
        };
        audit::add(&mut tx, by, "list changed", Some(&detail), at).await?;
        tx.commit().await
    }

    /// Removes a list that nobody is on any more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_list(&self, name: &str, by: &By, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        let list = required(&mut tx, name).await?;
        query(REMOVE).bind(list.0).execute(&mut tx).await?;
        audit::add(&mut tx, by, "list removed", Some(name), at).await?;
        tx.commit().await
    }

    /// The customers on a list after this one, in the order of their numbers.
    pub async fn list_members_after(
        &self,
        list: NameNo,
        last: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>> {
        let numbers: Vec<i64> = query_scalar(MEMBERS)
            .bind(last.map_or(0, |id| i64::from(id.bucket().0)))
            .bind(list.0)
            .bind(last.map_or(-1, |id| id.0))
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        Ok(numbers.into_iter().map(CustomerId).collect())
    }

    /// The lists that a customer is on, by name.
    pub async fn lists_of(&self, customer: CustomerId) -> Result<Vec<String>> {
        let of = query_scalar(OF).bind(i64::from(customer.bucket().0));
        of.bind(customer.0).fetch_all(self.read()).await
    }

    /// Puts customers on a list, or takes them off, in one transaction; who was not so before. Those who
    /// are not there are passed over.
    pub async fn change_list_members(
        &self,
        list: NameNo,
        customers: &[CustomerId],
        is_put_on: bool,
        at: Timestamp,
    ) -> Result<Vec<CustomerId>> {
        let mut tx = self.begin().await?;
        let there = super::customer_edits::keep(&mut tx, customers.iter().copied()).await?;
        let there: Vec<CustomerId> = there.into_keys().collect();
        let listing = Listing { list, is_put_on };
        let changed = put(&mut tx, &there, listing, at).await?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// Puts one customer on the lists that another is on.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let there: Vec<(i64, i64)> = of_one(tx, into).await?;
    let is_new = |list: i64| there.iter().all(|(other, _)| *other != list);
    let carried = of_one(tx, from).await?.into_iter();
    let carried = carried.filter(|(list, _)| is_new(*list));
    let cells = carried.map(|(list, at)| {
        let cells = [i64::from(into.bucket().0), list, into.0, at];
        cells.map(|number| Some(Bind::Int(number))).to_vec()
    });
    rows::insert(tx, "list_members", &COLUMNS, cells.collect()).await
}

async fn of_one(tx: &mut Tx, customer: CustomerId) -> Result<Vec<(i64, i64)>> {
    let asked = query(OF_ONE).bind(i64::from(customer.bucket().0));
    let rows = asked.bind(customer.0).fetch_all(tx).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

async fn number(tx: &mut Tx, name: &str) -> Result<Option<NameNo>> {
    let number: Option<i32> = query_scalar(NUMBER).bind(name).fetch_optional(tx).await?;
    Ok(number.map(NameNo))
}

async fn required(tx: &mut Tx, name: &str) -> Result<NameNo> {
    let list = number(tx, name).await?;
    list.ok_or_else(|| Error::NotFound(format!("the list `{name}`")))
}
