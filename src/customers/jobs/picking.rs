//! Owns finding the customers whom somebody names one by one, and saying who is not found.

use std::collections::BTreeSet;

use crate::customers::error::Error;
use crate::domain::ids::CustomerId;
use crate::domain::job::JobFailure;
use crate::store::Store;

/// Ids looked up by one statement.
const TOGETHER: usize = 2_000;

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
        let found = store.customer_ids(some).await?;
        for id in some {
            let number = match found.get(id) {
                Some(number) => Some(*number),
                None => store.customer_id(id).await?,
            };
            match number {
                Some(number) => drop(customers.insert(number)),
                None => failures.push(JobFailure {
                    who: Some(id.clone()),
                    what: "there is no customer with this id".to_owned(),
                }),
            }
        }
    }
    Ok(Picked {
        customers: customers.into_iter().collect(),
        failures,
    })
}
