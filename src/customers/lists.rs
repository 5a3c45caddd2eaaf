//! Owns lists as people change them: made, named anew, filled, emptied and removed.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::jobs::picking::{self, Picked};
use super::names::UnknownName;
use crate::domain::audit::By;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::list::List;
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;
use crate::store::{self, Store};

/// Customers in one transaction: others want to write, too.
const TOGETHER: u32 = 500;

/// A list as programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListFacts {
    #[schema(example = "spring-fair")]
    pub list: String,
    pub description: Option<String>,
    pub created_at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// By which way.
    pub source: String,
    /// How many customers are on it.
    pub customers: u64,
}

/// What a change of the customers on a list came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MembersChange {
    #[schema(example = "spring-fair")]
    pub list: String,
    /// How many were not on it before.
    pub added: u64,
    /// How many were on it before.
    pub removed: u64,
    /// The ids that nobody has.
    pub unknown: Vec<String>,
}

impl ListFacts {
    pub fn of(list: &List) -> Self {
        Self {
            list: list.name.clone(),
            description: list.description.clone(),
            created_at: list.created_at,
            actor: list.actor.clone(),
            source: list.source.clone(),
            customers: list.customers,
        }
    }
}

/// A list by its name.
///
/// # Errors
/// [`Error::UnknownName`].
pub async fn list(store: &Store, name: &str) -> Result<List, Error> {
    let mut lists = store.lists().await?;
    match lists.iter().position(|list| list.name == name) {
        Some(place) => Ok(lists.swap_remove(place)),
        None => Err(unknown(name, &lists)),
    }
}

/// The number of a list.
///
/// # Errors
/// [`Error::UnknownName`].
pub async fn number(store: &Store, name: &str) -> Result<NameNo, Error> {
    match store.list_number(name).await? {
        Some(number) => Ok(number),
        None => Err(unknown(name, &store.lists().await?)),
    }
}

fn unknown(name: &str, lists: &[List]) -> Error {
    let known = lists.iter().map(|list| list.name.as_str());
    UnknownName::new("list", name, known).into()
}

/// The segments and flows whose conditions name a list.
pub fn users(revision: &Revision, name: &str) -> Vec<String> {
    let conditions = revision.conditions().into_iter();
    let uses = |condition: &Condition| {
        let mut uses = false;
        condition.walk(&mut |part| uses |= *part == Condition::List(name.to_owned()));
        uses
    };
    let mut users: Vec<String> = conditions
        .filter(|(_, condition)| uses(condition))
        .map(|(user, _)| user)
        .collect();
    users.dedup();
    users
}

/// Names a list anew, describes it anew, or both. What conditions call it stays its name.
///
/// # Errors
/// [`Error::UnknownName`]; [`store::Error::Conflict`] when its name is in use, or the new one is taken.
pub async fn change(
    store: &Store,
    revision: &Revision,
    name: &str,
    (new, description): (Option<&str>, Option<Option<&str>>),
    (by, at): (&By, Timestamp),
) -> Result<(), Error> {
    number(store, name).await?;
    if new.is_some_and(|new| new != name) {
        refuse_used(revision, name, "named anew")?;
    }
    let changed = store.change_list(name, new, description, by, at);
    Ok(changed.await?)
}

/// Removes a list; the customers stay.
///
/// # Errors
/// [`Error::UnknownName`]; [`store::Error::Conflict`] when a condition of the revision in force names it.
pub async fn remove(
    store: &Store,
    revision: &Revision,
    name: &str,
    (by, at): (&By, Timestamp),
) -> Result<(), Error> {
    let list = number(store, name).await?;
    refuse_used(revision, name, "removed")?;
    loop {
        let members = store.list_members_after(list, None, TOGETHER).await?;
        if members.is_empty() {
            break;
        }
        store.change_list_members(list, &members, false, at).await?;
    }
    Ok(store.remove_list(name, by, at).await?)
}

fn refuse_used(revision: &Revision, name: &str, what: &str) -> Result<(), Error> {
    let users = users(revision, name);
    if users.is_empty() {
        return Ok(());
    }
    let why = format!(
        "the list `{name}` cannot be {what}: it is asked for by the {}",
        users.join(", the ")
    );
    Err(store::Error::Conflict(why).into())
}

/// Puts customers on a list and takes others off, by their unique ids.
///
/// # Errors
/// [`Error::UnknownName`].
pub async fn change_members(
    store: &Store,
    name: &str,
    (add, remove): (&[String], &[String]),
    (by, at): (&By, Timestamp),
) -> Result<MembersChange, Error> {
    let (add, remove) = (
        picking::by_ids(store, add).await?,
        picking::by_ids(store, remove).await?,
    );
    let added = put_picked(store, name, &add, true, (by, at)).await?;
    let removed = put_picked(store, name, &remove, false, (by, at)).await?;
    Ok(MembersChange {
        removed: removed.removed,
        unknown: [added.unknown.as_slice(), &removed.unknown].concat(),
        ..added
    })
}

/// Puts customers who were picked on a list, or takes them off; one line of the audit says how many.
///
/// # Errors
/// [`Error::UnknownName`].
pub async fn put_picked(
    store: &Store,
    name: &str,
    picked: &Picked,
    is_put_on: bool,
    (by, at): (&By, Timestamp),
) -> Result<MembersChange, Error> {
    let list = number(store, name).await?;
    let count = put(store, list, &picked.customers, is_put_on, at).await?;
    let (added, removed) = if is_put_on { (count, 0) } else { (0, count) };
    if count > 0 {
        let detail = format!("{name}: {added} added, {removed} removed");
        store.audit(by, "list filled", Some(&detail), at).await?;
    }
    let unknown = picked.failures.iter();
    Ok(MembersChange {
        list: name.to_owned(),
        added,
        removed,
        unknown: unknown.filter_map(|failure| failure.who.clone()).collect(),
    })
}

async fn put(
    store: &Store,
    list: NameNo,
    customers: &[CustomerId],
    is_put_on: bool,
    at: Timestamp,
) -> Result<u64, Error> {
    let mut changed = 0;
    for some in customers.chunks(TOGETHER as usize) {
        let done = store.change_list_members(list, some, is_put_on, at);
        changed += done.await?.len() as u64;
    }
    Ok(changed)
}
