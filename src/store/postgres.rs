//! Owns opening a PostgreSQL database, and how its sessions are set.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::time::timeout;

use super::error::{Error, Result, is_away};
use super::lifeline::ANSWERS_WITHIN;
use super::shards::Shards;

const READERS: u32 = 8;
const WRITERS: u32 = 6;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A connection that was used so lately is used again without being tried.
const FRESH: Duration = Duration::from_secs(1);
const OLDEST: i32 = 150_000;

/// Questions of one moment that see nothing that is written meanwhile.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// A write that goes beside no other of its kind in this database.
pub(super) const ALONE: &str = "SELECT pg_advisory_xact_lock(7311146936952811378)";

/// A commit is on the disk before it is answered. Tables are joined in the order in which a statement
/// names them: what a batch holds stands first, and no statistics know how much that is. A session
/// whose process is gone, or cut off, is ended by the server within seconds, with its locks: before
/// others take over what a silent node held, so that they need not wait for it.
const SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false), \
     set_config('jit', 'off', false), \
     set_config('join_collapse_limit', '1', false), \
     set_config('client_min_messages', 'warning', false), set_config('tcp_keepalives_idle', '5', false), \
     set_config('tcp_keepalives_interval', '2', false), \
     set_config('tcp_keepalives_count', '3', false), \
     set_config('tcp_user_timeout', '10000', false), \
     set_config('idle_in_transaction_session_timeout', '8000', false)";

const HAS_CITUS: &str = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";
const IS_SPREAD: &str = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition \
     WHERE logicalrelid = to_regclass('bucket_leases') AND partmethod = 'h')";
/// In the order of the buckets.
const SHARDS: &str = "SELECT get_shard_id_for_distribution_column('bucket_leases', \
     CAST(b AS SMALLINT)) FROM generate_series(0, 1023) AS b ORDER BY b";

/// The connections to one server.
pub(super) struct Opened {
    pub(super) writers: PgPool,
    pub(super) readers: PgPool,
    /// Which buckets lie together, where Citus spreads them.
    pub(super) shards: Option<Arc<Shards>>,
}

/// Connects to the database as it is.
pub(super) async fn open(url: &str) -> Result<Opened> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::Unusable(format!("the database's address: {error}")))?
        .application_name("drumbeat")
        .statement_cache_capacity(500);
    let writers = pool(WRITERS, options.clone()).await?;
    refuse_old(&writers).await?;
    Ok(Opened {
        shards: shards(&writers).await?.map(Arc::new),
        writers,
        readers: pool(READERS, options).await?,
    })
}

async fn pool(connections: u32, options: PgConnectOptions) -> Result<PgPool> {
    let host = options.get_host().to_owned();
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECT_WITHIN)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for < FRESH {
                    return Ok(true);
                }
                let answers = timeout(ANSWERS_WITHIN, connection.ping()).await;
                answers.map_err(std::io::Error::from)??;
                Ok(true)
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query(SESSION).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| {
            let kind = if is_away(&error) {
                Error::Away
            } else {
                Error::Unusable
            };
            kind(format!(
                "cannot connect to the database at `{host}`: {error}"
            ))
        })
}

/// The shards of the buckets, by Citus's own word; none where it has not spread them.
async fn shards(pool: &PgPool) -> Result<Option<Shards>> {
    for there in [HAS_CITUS, IS_SPREAD] {
        let is_there: bool = sqlx::query_scalar(there).fetch_one(pool).await?;
        if !is_there {
            return Ok(None);
        }
    }
    let numbers: Vec<i64> = sqlx::query_scalar(SHARDS).fetch_all(pool).await?;
    Ok(Some(Shards::new(&numbers)))
}

/// How durable a commit is on each connection that writes.
pub(super) async fn durability(writers: &PgPool) -> Result<Vec<String>> {
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(writers.acquire().await?);
    }
    let mut found = Vec::new();
    for mut connection in connections {
        let level = sqlx::query_scalar("SHOW synchronous_commit");
        found.push(level.fetch_one(&mut *connection).await?);
    }
    Ok(found)
}

async fn refuse_old(pool: &PgPool) -> Result<()> {
    let version: i32 =
        sqlx::query_scalar("SELECT CAST(current_setting('server_version_num') AS INTEGER)")
            .fetch_one(pool)
            .await?;
    if version < OLDEST {
        let major = version / 10_000;
        return Err(Error::Unusable(format!(
            "PostgreSQL {major} is too old: need 15 or later"
        )));
    }
    Ok(())
}
