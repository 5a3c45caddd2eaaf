//! Owns spreading a database over the servers of Citus: which tables lie by buckets, and which is
//! everywhere.
//!
//! Tables by buckets are colocated, so that everything of a bucket, with its lease, is on one server.
//! `names`, which is joined to them, has a copy on each server. All others stay on the coordinator, to
//! which nodes connect. Functions: Citus's manual, "Citus Utility Functions".

use std::collections::BTreeSet;

use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::sql::{query, query_scalar};
use super::tables::{DERIVED, LEASES, TABLES, is_by_bucket};
use super::tx::Tx;

/// What every server has a copy of, because it is joined to what lies by buckets.
const EVERYWHERE: &str = "names";
/// Citus 14 dropped PostgreSQL 15.
const WITHOUT_15: u32 = 14;

const AVAILABLE: &str = "SELECT default_version FROM pg_available_extensions WHERE name = 'citus'";
const INSTALLED: &str = "SELECT CAST(count(*) AS BIGINT) FROM pg_extension WHERE extname = 'citus'";
const SERVER: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT)";
const INSTALL: &str = "CREATE EXTENSION IF NOT EXISTS citus";
const SPREAD: &str = "SELECT CAST(logicalrelid AS TEXT) FROM pg_dist_partition \
     WHERE partmethod IN ('h', 'n')";
/// A reference table is made in a transaction in which servers are asked one after the other.
const IN_TURN: &str = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'";
const FIRST: &str = "SELECT create_distributed_table(CAST($1 AS TEXT)::regclass, 'bucket', \
     colocate_with => 'none', shard_count => CAST($2 AS INTEGER))";
const BESIDE: &str = "SELECT create_distributed_table(CAST($1 AS TEXT)::regclass, 'bucket', \
     colocate_with => $2)";
const COPIED: &str = "SELECT create_reference_table(CAST($1 AS TEXT)::regclass)";
const EMPTIED: &str =
    "SELECT truncate_local_data_after_distributing_table(CAST($1 AS TEXT)::regclass)";
/// What our own sessions are set to; Citus tells it to the other servers.
const SETTINGS: &str = "DO $$ BEGIN \
     EXECUTE format('ALTER DATABASE %I SET join_collapse_limit = 1', current_database()); \
     EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); \
     END $$";

/// What spreading came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// The tables that have been spread now; none: all were.
    pub tables: Vec<&'static str>,
}

impl Store {
    /// Spreads the tables of this schema over the servers that Citus knows, into so many shards. What
    /// is spread already stays as it is.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a file, for a server without Citus, and while somebody runs on it.
    pub async fn spread(&self, shards: u16) -> Result<Spread> {
        if self.dialect() == Dialect::Sqlite {
            return Err(Error::Unusable(
                "a file cannot be spread over servers: copy the store to PostgreSQL with \
                 `drumbeat db copy`, and spread it there"
                    .to_owned(),
            ));
        }
        self.refuse_without_citus().await?;
        if let Some(owner) = self.owner().await? {
            let place = self.place();
            return Err(Error::Unusable(format!(
                "the database {place} is in use by {owner}: stop it first"
            )));
        }
        if self.has_no(INSTALLED).await? {
            query(INSTALL).execute(&self.writers).await?;
        }
        query(SETTINGS).execute(&self.writers).await?;
        let mut tx = self.write().await?;
        let tables = spread(&mut tx, shards).await?;
        tx.commit().await?;
        Ok(Spread { tables })
    }

    async fn refuse_without_citus(&self) -> Result<()> {
        let place = self.place();
        let available: Option<String> = query_scalar(AVAILABLE).fetch_optional(self.read()).await?;
        let Some(version) = available else {
            return Err(Error::Unusable(format!(
                "the server of {place} has no extension `citus`: install Citus 13 (PostgreSQL 15 to \
                 17) or 14 (16 to 18) on every server, and name it in `shared_preload_libraries`"
            )));
        };
        let server: i64 = query_scalar(SERVER).fetch_one(self.read()).await?;
        if major(&version) >= WITHOUT_15 && server < 160_000 {
            return Err(Error::Unusable(format!(
                "Citus {version} does not work with PostgreSQL 15: install PostgreSQL 16 or later, \
                 or Citus 13"
            )));
        }
        Ok(())
    }

    async fn has_no(&self, counted: &'static str) -> Result<bool> {
        let count: i64 = query_scalar(counted).fetch_one(self.read()).await?;
        Ok(count == 0)
    }
}

/// All in one transaction: a database is spread whole, or not at all.
async fn spread(tx: &mut Tx, shards: u16) -> Result<Vec<&'static str>> {
    let there: Vec<String> = query_scalar(SPREAD).fetch_all(&mut *tx).await?;
    let there: BTreeSet<String> = there.into_iter().collect();
    let by_bucket = TABLES.iter().map(|table| table.name);
    let by_bucket = by_bucket.filter(|name| is_by_bucket(name));
    let by_bucket = by_bucket.chain(DERIVED);
    let wanted = [LEASES].into_iter().chain(by_bucket).chain([EVERYWHERE]);
    let missing: Vec<&str> = wanted.filter(|name| !there.contains(*name)).collect();
    query(IN_TURN).execute(&mut *tx).await?;
    for table in &missing {
        let statement = match *table {
            LEASES => query(FIRST).bind(*table).bind(u32::from(shards)),
            EVERYWHERE => query(COPIED).bind(*table),
            _ => query(BESIDE).bind(*table).bind(LEASES),
        };
        statement.execute(&mut *tx).await?;
        // What it held is still there, where nobody sees it.
        query(EMPTIED).bind(*table).execute(&mut *tx).await?;
    }
    Ok(missing)
}

fn major(version: &str) -> u32 {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_with_its_major_number() {
        assert_eq!(["14.0-1", "13.2-1", "9"].map(major), [14, 13, 9]);
    }
}
