//! Owns finding the customers whom somebody names one by one, and saying who is not found.

use std::collections::BTreeSet;
use std::path::Path;

use crate::customers::error::Error;
use crate::customers::names::UnknownName;
use crate::customers::table::{Row, Table, TableOptions};
use crate::customers::whom;
use crate::domain::identifier::Identifier;
use crate::domain::ids::CustomerId;
use crate::domain::job::JobFailure;
use crate::domain::revision::Revision;
use crate::store::Store;

/// Ids looked up by one statement.
const TOGETHER: usize = 2_000;
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
pub async fn by(
    store: &Store,
    revision: &Revision,
    identifier: Identifier,
    names: &[String],
) -> Result<Picked, Error> {
    let field = identifier.field();
    let Some(field) = field.and_then(|field| revision.data_model.field(field)) else {
        return by_ids(store, names).await;
    };
    let found = whom::having(store, revision, field, names.iter().map(String::as_str)).await?;
    let address = match identifier {
        Identifier::Phone => "phone number",
        Identifier::Id | Identifier::Email => "e-mail address",
    };
    let mut customers = BTreeSet::new();
    let mut failures = Vec::new();
    for name in names {
        let what = match found.get(name).map_or(&[][..], Vec::as_slice) {
            [customer] => {
                customers.insert(*customer);
                continue;
            }
            [] => format!("no customer has this {address}"),
            _ => format!("several customers have this {address}: name one by id"),
        };
        failures.push(failure(name, &what));
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
