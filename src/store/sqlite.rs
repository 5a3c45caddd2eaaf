//! Owns opening a SQLite database: one writer, many readers, and the settings that make a commit durable.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Notify;

use super::error::{Error, Result};

/// The first release with the fix for corruption by concurrent WAL resets (sqlite.org/wal.html).
const OLDEST: [u32; 3] = [3, 51, 3];
const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Of the writer, once the file is migrated. SQLite would look for the end of another process's
/// transaction less and less often, up to ten times a second (`sqliteDefaultBusyCallback`): beside one
/// that writes all the time it would hardly ever meet a gap.
const SHORT_BUSY_TIMEOUT: Duration = Duration::from_millis(3);
/// Page caches: the writer's holds the pages that a batch touches, a reader's a few inner ones.
const WRITER_CACHE: &str = "-40960";
const READER_CACHE: &str = "-4096";
/// The writer's, while it goes once through everybody and comes back to no page.
const SWEEPING_CACHE: &str = "-16384";

/// The connections to one file.
pub(super) struct Opened {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
    /// One connection that is asked nothing but whether others have written.
    pub(super) watcher: SqlitePool,
}

/// Opens the file as it is, made with its folder when it is missing and may be; each commit is told.
pub(super) async fn open(path: &Path, make: bool, committing: &Arc<Notify>) -> Result<Opened> {
    if !make && !path.exists() {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let path = whole.display();
        return Err(Error::Unusable(format!(
            "there is no database `{path}`: `drumbeat db migrate` makes one"
        )));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let folder = folder.display();
            Error::Unusable(format!("cannot make the folder `{folder}`: {error}"))
        })?;
    }
    let options = options(path).create_if_missing(make);
    let writer = writer(options.clone(), committing).await?;
    refuse_old(&writer).await?;
    let reading = options
        .pragma("query_only", "ON")
        .pragma("cache_size", READER_CACHE);
    Ok(Opened {
        writer,
        readers: pool(READERS, reading.clone()).await?,
        watcher: pool(1, reading).await?,
    })
}

/// How every connection is set: a commit is on the disk before it is answered.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(200)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "4000")
}

/// Begins a write, as soon as no other process writes.
pub(super) async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>> {
    let begun = Instant::now();
    loop {
        match writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(Error::from)
        {
            Err(Error::Busy) if begun.elapsed() < BUSY_TIMEOUT => {}
            transaction => return transaction,
        }
    }
}

/// From here on the writer looks often whether it may begin; or it waits patiently again.
pub(super) async fn look_often(writer: &SqlitePool, often: bool) -> Result<()> {
    let timeout = if often {
        SHORT_BUSY_TIMEOUT
    } else {
        BUSY_TIMEOUT
    };
    let pragma = format!("PRAGMA busy_timeout = {}", timeout.as_millis());
    sqlx::query(AssertSqlSafe(pragma)).execute(writer).await?;
    Ok(())
}

/// Keeps few pages in memory, or as many as usual again.
pub(super) async fn sweep(writer: &SqlitePool, sweeping: bool) -> Result<()> {
    let pages = if sweeping {
        SWEEPING_CACHE
    } else {
        WRITER_CACHE
    };
    let pragma = format!("PRAGMA cache_size = {pages}");
    sqlx::query(AssertSqlSafe(pragma)).execute(writer).await?;
    Ok(())
}

/// The journal's mode and the synchronous level (2 is FULL) of every connection.
pub(super) async fn durability(writer: &SqlitePool, readers: &SqlitePool) -> Result<Vec<String>> {
    let mut connections = vec![writer.acquire().await?];
    for _ in 0..READERS {
        connections.push(readers.acquire().await?);
    }
    let mut found = Vec::new();
    for mut connection in connections {
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut *connection)
            .await?;
        let level: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *connection)
            .await?;
        found.push(format!("{mode} {level}"));
    }
    Ok(found)
}

async fn pool(connections: u32, options: SqliteConnectOptions) -> Result<SqlitePool> {
    Ok(kept(connections).connect_with(options).await?)
}

/// The one connection that writes, with a word of each commit.
async fn writer(options: SqliteConnectOptions, committing: &Arc<Notify>) -> Result<SqlitePool> {
    let committing = Arc::clone(committing);
    let telling = kept(1).after_connect(move |connection, _| {
        let committing = Arc::clone(&committing);
        Box::pin(async move {
            let mut handle = connection.lock_handle().await?;
            handle.set_commit_hook(move || {
                committing.notify_one();
                true
            });
            Ok(())
        })
    });
    Ok(telling.connect_with(options).await?)
}

/// Connections that stay open.
fn kept(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(connections.min(1))
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_free(connection)))
}

/// Whether no transaction is left open on an idle connection. SQLite ends one by itself when the disk
/// is full, the driver's rollback of it then fails, and it takes the connection as inside one for
/// ever: such a connection is replaced.
async fn is_free(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // A rollback may still be on its way to the connection's thread; the ping comes after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn refuse_old(pool: &SqlitePool) -> Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await?;
    let parts: Vec<u32> = version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if parts.as_slice() < OLDEST.as_slice() {
        return Err(Error::Unusable(format!(
            "SQLite {version} can corrupt a database: need 3.51.3"
        )));
    }
    Ok(())
}
