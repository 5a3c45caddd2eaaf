//! Owns finding the customers whom the rows of a file name by the value of a field, not by their ids.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::error::Error;
use super::mapping::{MappingError, Target, key_of};
use super::typing::Typing;
use crate::domain::customer::FieldValue;
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::store::{MatchKey, Store};

/// No text stands between the values of one.
const NO_SEPARATOR: char = '\u{1f}';

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
    let (field, typing) = (&model.fields[place], Typing::new(revision));
    let mut keys: BTreeMap<&str, MatchKey> = BTreeMap::new();
    for name in named {
        if let Ok(Some(FieldValue::One(value))) = typing.read(field, name, NO_SEPARATOR)
            && let Some(key) = MatchKey::of(field, &value)?
        {
            keys.insert(name, key);
        }
    }
    let asked: Vec<MatchKey> = keys.values().cloned().collect();
    let matches = store.customers_matching(field, &asked).await?;
    let found = keys.into_iter().filter_map(|(name, key)| {
        let [(customer, _)] = matches.get(&key)?.as_slice() else {
            return None;
        };
        Some((name.to_owned(), *customer))
    });
    Ok(found.collect())
}
