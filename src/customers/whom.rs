//! Owns finding the customers whom somebody names by the value of a field, not by their ids.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::error::Error;
use super::mapping::{MappingError, Target, key_of};
use crate::domain::field::Field;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::domain::value::Value;
use crate::store::{MatchKey, Store};

/// The customers who have each of these values, as they are written; of what is no value of the field,
/// nobody.
pub(super) async fn having(
    store: &Store,
    revision: &Revision,
    field: &Field,
    named: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Vec<CustomerId>>, Error> {
    let zone = revision.time_zone();
    let mut keys: BTreeMap<&str, MatchKey> = BTreeMap::new();
    for name in named {
        if let Ok(value) = Value::parse(field.kind, name, &zone)
            && let Some(key) = MatchKey::of(field, &value)?
        {
            keys.insert(name, key);
        }
    }
    let asked: HashSet<MatchKey> = keys.values().cloned().collect();
    let asked: Vec<MatchKey> = asked.into_iter().collect();
    let matches = store.customers_matching(field, &asked).await?;
    let found = keys.into_iter().filter_map(|(name, key)| {
        let customers = matches.get(&key)?.iter().map(|(customer, _)| *customer);
        Some((name.to_owned(), customers.collect()))
    });
    Ok(found.collect())
}

/// The one customer who has each of these values; of a value that nobody or several have, nobody.
pub(super) async fn by_field(
    store: &Store,
    revision: &Revision,
    key: &str,
    named: &BTreeSet<String>,
) -> Result<HashMap<String, CustomerId>, Error> {
    let model = &revision.data_model;
    let Target::Field(place) = key_of(key, model)? else {
        return Err(MappingError::ManyValued(key.to_owned()).into());
    };
    let named = named.iter().map(String::as_str);
    let having = having(store, revision, &model.fields[place], named).await?;
    let only = having.into_iter().filter_map(|(name, customers)| {
        let [customer] = customers.as_slice() else {
            return None;
        };
        Some((name, *customer))
    });
    Ok(only.collect())
}
