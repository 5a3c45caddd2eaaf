//! Owns checking that rows lie in the bucket of their unique id: asked of the hash itself, row by row.

use super::super::error::Result;
use super::super::sql::{Row, query};
use super::super::tx::Pool;
use crate::domain::ids::Bucket;

/// Rows that are looked at together.
const MOST: i64 = 5_000;
const CUSTOMERS: &str = "@everywhere(upkeep)SELECT bucket, external_id, customer_id FROM customers \
     WHERE (bucket, customer_id) > ($1, $2) ORDER BY bucket, customer_id LIMIT $3";
const SUPPRESSIONS: &str = "@everywhere(upkeep)SELECT bucket, address, channel FROM suppressions \
     WHERE (bucket, channel, address) > ($1, $2, $4) ORDER BY bucket, channel, address LIMIT $3";

pub(super) const STATEMENTS: &[&str] = &[CUSTOMERS, SUPPRESSIONS];

/// How many rows lie in a wrong bucket, and one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Misplaced {
    pub(super) rows: u64,
    pub(super) example: String,
}

pub(super) async fn customers(pool: &Pool) -> Result<Misplaced> {
    let mut misplaced = Misplaced::default();
    let (mut bucket, mut customer) = (i64::MIN, i64::MIN);
    loop {
        let statement = query(CUSTOMERS).bind(bucket).bind(customer).bind(MOST);
        let rows = statement.fetch_all(pool).await?;
        let Some(last) = rows.last() else {
            return Ok(misplaced);
        };
        (bucket, customer) = (last.try_get(0)?, last.try_get(2)?);
        misplaced.look_at(&rows)?;
    }
}

pub(super) async fn suppressions(pool: &Pool) -> Result<Misplaced> {
    let mut misplaced = Misplaced::default();
    let (mut bucket, mut channel, mut address) = (i64::MIN, i64::MIN, String::new());
    loop {
        let statement = query(SUPPRESSIONS).bind(bucket).bind(channel).bind(MOST);
        let rows = statement.bind(&address).fetch_all(pool).await?;
        let Some(last) = rows.last() else {
            return Ok(misplaced);
        };
        (bucket, channel) = (last.try_get(0)?, last.try_get(2)?);
        address = last.try_get(1)?;
        misplaced.look_at(&rows)?;
    }
}

impl Misplaced {
    fn look_at(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let (bucket, key): (i64, &str) = (row.try_get(0)?, row.text(1)?);
            if i64::from(Bucket::of(key).0) != bucket {
                self.rows += 1;
                key.clone_into(&mut self.example);
            }
        }
        Ok(())
    }
}
