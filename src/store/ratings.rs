//! Owns counting customers by how active they are: everybody in one pass, by bounds that the domain draws.

use super::db::Store;
use super::error::Result;
use super::instants::micros;
use super::sql::query;
use crate::domain::customer::Status;
use crate::domain::rating::{Rating, RatingCounts, RatingStarts};

/// The band of an activity: those of `RatingStarts`, in their order, and none.
const COUNT: &str = "@everywhere(people)SELECT r.status, r.band, count(*) FROM (SELECT c.status, \
     CASE WHEN y.last_activity_at >= $1 THEN 0 WHEN y.last_activity_at >= $2 THEN 1 \
     WHEN y.last_activity_at >= $3 THEN 2 WHEN y.last_activity_at IS NOT NULL THEN 3 ELSE 4 END \
     AS band FROM customers AS c LEFT JOIN activity AS y ON y.bucket = c.bucket \
     AND y.customer_id = c.customer_id WHERE c.bucket BETWEEN 0 AND 1023) AS r \
     GROUP BY r.status, r.band";

pub(super) const STATEMENTS: &[&str] = &[COUNT];

const BANDS: [Rating; 5] = [
    Rating::New,
    Rating::Frequent,
    Rating::Dormant,
    Rating::Expired,
    Rating::Inactive,
];

impl Store {
    /// Counts everybody by rating; those who are suspended are counted apart.
    pub async fn rating_counts(&self, starts: RatingStarts) -> Result<RatingCounts> {
        let rows = query(COUNT)
            .bind(micros(starts.new))
            .bind(micros(starts.frequent))
            .bind(micros(starts.dormant))
            .fetch_all(self.read())
            .await?;
        let mut counts = RatingCounts::default();
        for row in &rows {
            let (status, band, count): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let band = usize::try_from(band).ok().and_then(|band| BANDS.get(band));
            let band = band.copied().unwrap_or(Rating::Inactive);
            counts.add(Status::from_number(status), band, count.unsigned_abs());
        }
        Ok(counts)
    }
}
