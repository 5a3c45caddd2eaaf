//! Owns the questions of the search: who has these words and meets this condition, in which order, and how many.

use serde::{Deserialize, Serialize};

use super::db::Store;
use super::error::Result;
use super::search_sorts::{Sort, SortKey, Sorted};
use super::search_sql::{Asked, Statement, Written, searches};
use super::segment_frame::Frame;
use super::sql::{Row, composed};

/// A found customer, and what they were sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub customer: i64,
    pub key: Option<SortKey>,
}

impl Store {
    /// The next customers after this place. Who comes, goes or changes meanwhile may be missed.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a sort by a field that has no one value.
    pub async fn search(
        &self,
        asked: &Asked<'_>,
        sort: &Sort,
        frame: &Frame<'_>,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        let Some(sorted) = Sorted::of(&sort.by, &frame.revision.data_model)? else {
            let after = after.map(|place| place.customer);
            return self.by_number(asked, frame, after, limit).await;
        };
        let mut found = Vec::new();
        // First those who have a value, then those who have none.
        let key = after.and_then(|place| Some((sorted.bind(place.key.as_ref()?)?, place.customer)));
        if after.is_none() || key.is_some() {
            let statement = Statement::of(self.dialect(), asked, frame, Some((&sorted, true)))?;
            let statement = statement.by_value(&sorted, sort.descending, key, limit);
            found = self.found(statement, Some(&sorted), false).await?;
        }
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let last = after.filter(|place| place.key.is_none());
            let statement = Statement::of(self.dialect(), asked, frame, Some((&sorted, false)))?;
            let statement = statement.without_value(last.map(|place| place.customer), left);
            found.extend(self.found(statement, None, false).await?);
        }
        Ok(found)
    }

    /// How many they are.
    pub async fn search_count(&self, asked: &Asked<'_>, frame: &Frame<'_>) -> Result<u64> {
        let statement = Statement::of(self.dialect(), asked, frame, None)?;
        let rows = self.rows(statement.count(), false).await?;
        let count: i64 = rows.first().map_or(Ok(0), Row::take)?;
        Ok(count.unsigned_abs())
    }

    async fn by_number(
        &self,
        asked: &Asked<'_>,
        frame: &Frame<'_>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        let is_quick = asked.condition.is_none();
        let mut found = Vec::new();
        for statement in searches(self.dialect(), asked, frame, after, limit)? {
            found = self.found(statement, None, is_quick).await?;
            if found.len() >= limit as usize {
                break;
            }
        }
        Ok(found)
    }

    async fn found(
        &self,
        text: Written,
        sorted: Option<&Sorted>,
        is_quick: bool,
    ) -> Result<Vec<Place>> {
        let place = |row: &Row| {
            Ok(Place {
                customer: row.try_get(0)?,
                key: sorted
                    .map(|sorted| sorted.read(row, 1))
                    .transpose()?
                    .flatten(),
            })
        };
        let rows = self.rows(text, is_quick).await?;
        rows.iter().map(place).collect()
    }

    /// The first ones by the index are found at once.
    async fn rows(&self, (sql, binds): Written, is_quick: bool) -> Result<Vec<Row>> {
        let sql = format!("@everywhere(people){sql}");
        if !is_quick {
            return self.scan(sql, binds).await;
        }
        // Planned with its values: how many have a part depends on the part.
        let asked = composed(sql, None, binds).persistent(false);
        asked.fetch_all(self.read()).await
    }
}
