//! Owns checking a sample of the texts that a search looks through: each is made of its customer's fields.

use super::super::db::Store;
use super::super::error::Result;
use super::super::search_index;
use super::Finding;
use crate::domain::ids::{BUCKETS, Bucket, CustomerId};

/// From every so many buckets, so many customers.
const EVERY: usize = 32;
const EACH: u32 = 16;

pub(super) async fn differing(store: &Store) -> Result<Option<Finding>> {
    let Ok(Some(published)) = store.current_revision().await else {
        return Ok(None); // That is found elsewhere.
    };
    let mut sample: Vec<i64> = Vec::new();
    for bucket in (0..BUCKETS).step_by(EVERY) {
        let before = CustomerId(Bucket(bucket).base() - 1);
        let some = store.customers_after(Some(before), EACH).await?;
        sample.extend(some.iter().map(|id| id.0));
    }
    let mut tx = store.begin().await?;
    let wrong = search_index::differing(&mut tx, &published, &sample).await?;
    tx.rollback().await?;
    let Some(first) = wrong.first() else {
        return Ok(None);
    };
    // Whoever waits for the index has an older text, or none.
    if store.search_by_others(&published).await? || store.search_waiting().await?.customers > 0 {
        return Ok(None);
    }
    Ok(Some(Finding {
        code: "search",
        table: "search_texts".to_owned(),
        rows: wrong.len() as u64,
        example: first.to_string(),
        wrong: "the text that is searched is not made of the customer's fields; others were not \
                looked at"
            .to_owned(),
        remedy: "delete the rows of `search_fields`: a running daemon makes all texts anew",
    }))
}
