//! Owns finding the customers whom somebody names one by one, and saying who is not found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::customers::error::Error;
use crate::customers::names::UnknownName;
use crate::customers::table::{Row, Table, TableOptions};
use crate::domain::identifier::Identifier;
use crate::domain::ids::CustomerId;
use crate::domain::job::JobFailure;
use crate::domain::value::fold;
use crate::store::Store;

/// Ids looked up by one statement.
const TOGETHER: usize = 2_000;
/// Addresses looked up by one statement, which goes through everybody.
const ADDRESSES_TOGETHER: usize = 50_000;
/// The column of ids, unless another one is named.
const ID: &str = "id";

/// Customers who were picked, each once and in the order of their numbers; and what was not found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picked {
    pub customers: Vec<CustomerId>,
    pub failures: Vec<JobFailure>,
}

/// Finds customers by their unique ids, or by ids that were merged into theirs.
pub async fn by_ids(store: &Store, ids: &[String]) -> Result<Picked, Error> {
    let mut customers = BTreeSet::new();
    let mut failures = Vec::new();
    for some in ids.chunks(TOGETHER) {
        let found = store.behind(&some.iter().cloned().collect()).await?;
        for id in some {
            match found.get(id) {
                Some(behind) => drop(customers.insert(behind.customer())),
                None => failures.push(failure(id, "there is no customer with this id")),
            }
        }
    }
    Ok(Picked {
        customers: customers.into_iter().collect(),
        failures,
    })
}

/// Finds customers by whatever identifies them. An address that several have leads to nobody.
pub async fn by(store: &Store, identifier: Identifier, names: &[String]) -> Result<Picked, Error> {
    let (nobody, several) = match identifier {
        Identifier::Id => return by_ids(store, names).await,
        Identifier::Email => (
            "no customer has this e-mail address",
            "several customers have this e-mail address: name one by id",
        ),
        Identifier::Phone => (
            "no customer has this phone number",
            "several customers have this phone number: name one by id",
        ),
    };
    let mut found: BTreeMap<String, BTreeSet<CustomerId>> = BTreeMap::new();
    for some in names.chunks(ADDRESSES_TOGETHER) {
        for (customer, address) in store.customers_with_address(identifier, some).await? {
            found.entry(address).or_default().insert(customer);
        }
    }
    let mut customers = BTreeSet::new();
    let mut failures = Vec::new();
    for name in names {
        let of = found.get(&fold(name.trim()));
        let mut of = of.into_iter().flatten();
        match (of.next(), of.next()) {
            (Some(customer), None) => drop(customers.insert(*customer)),
            (Some(_), Some(_)) => failures.push(failure(name, several)),
            (None, _) => failures.push(failure(name, nobody)),
        }
    }
    Ok(Picked {
        customers: customers.into_iter().collect(),
        failures,
    })
}

/// The names in one column of a table: of `column`, else of `id`, else of the first one. Blocks.
pub fn column(
    path: &Path,
    options: &TableOptions,
    column: Option<&str>,
) -> Result<Vec<String>, Error> {
    let mut table = Table::open(path, options)?;
    let known = || table.columns().iter().map(String::as_str);
    let place = known().position(|name| name.eq_ignore_ascii_case(column.unwrap_or(ID)));
    let place = match (place, column) {
        (Some(place), _) => place,
        (None, None) => 0,
        (None, Some(name)) => return Err(UnknownName::new("column", name, known()).into()),
    };
    let mut names = Vec::new();
    let mut row = Row::default();
    while table.read(&mut row)? {
        let name = row.cells().nth(place).unwrap_or_default().trim();
        if !name.is_empty() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn failure(who: &str, what: &str) -> JobFailure {
    JobFailure {
        who: Some(who.to_owned()),
        what: what.to_owned(),
    }
}
