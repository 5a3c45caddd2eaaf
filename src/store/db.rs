//! Owns the connections: one writer, many readers, and the settings that make a commit durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Notify;

use super::error::{Error, Result};
use super::migrate;

/// The first release with the fix for corruption by concurrent WAL resets (sqlite.org/wal.html).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page caches: the writer's holds the pages that a batch touches, a reader's a few inner ones.
const WRITER_CACHE: &str = "-65536";
const READER_CACHE: &str = "-8192";
/// The writer's, while it goes once through everybody and comes back to no page.
const SWEEPING_CACHE: &str = "-16384";

/// An open, migrated database.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    /// One connection that is asked nothing but whether others have written.
    watcher: SqlitePool,
    /// Told at the beginning of each of our own commits.
    committing: Arc<Notify>,
}

/// A writing transaction: nobody else writes until it ends.
pub(super) type Tx = Transaction<'static, Sqlite>;

/// How a batch is written whose rows must still be as they were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// All of it, or the transaction is of no use: nothing comes back for a row.
    Whole,
    /// Those that are; which they are comes back.
    Each,
}

impl Store {
    /// Opens `sqlite://PATH` (made with its folder when missing) and migrates it.
    pub async fn open(url: &str) -> Result<Self> {
        let path = path_of(url)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::Unusable(format!(
                    "cannot make the folder `{}`: {error}",
                    folder.display()
                ))
            })?;
        }
        let options = Self::options(path);
        let committing = Arc::new(Notify::new());
        let writer = writer(options.clone(), &committing).await?;
        refuse_old_sqlite(&writer).await?;
        migrate::run(&writer).await?;
        let reading = options
            .pragma("query_only", "ON")
            .pragma("cache_size", READER_CACHE);
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers: pool(READERS, reading.clone()).await?,
            watcher: pool(1, reading).await?,
            committing,
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

    /// Where questions are asked: a snapshot that no writer holds up.
    pub(super) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a writing transaction at once (`BEGIN IMMEDIATE`).
    pub(super) async fn write(&self) -> Result<Tx> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Keeps few pages in memory, or as many as usual again: for writes that go through everybody.
    pub async fn sweep(&self, sweeping: bool) -> Result<()> {
        let pages = if sweeping {
            SWEEPING_CACHE
        } else {
            WRITER_CACHE
        };
        let pragma = format!("PRAGMA cache_size = {pages}");
        sqlx::query(AssertSqlSafe(pragma))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The writing connection outside a transaction: pragmas only.
    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// The connection that writes nothing and so sees everybody's commits as others'.
    pub(super) fn watcher(&self) -> &SqlitePool {
        &self.watcher
    }

    /// Waits until this process begins a commit; others see it a moment later.
    pub async fn committing(&self) {
        self.committing.notified().await;
    }

    /// The database's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file that belongs to the database: its path with an ending.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".");
        path.push(ending);
        path.into()
    }

    /// The journal's mode and the synchronous level (2 is FULL) of every connection, as SQLite tells them.
    pub async fn durability(&self) -> Result<Vec<(String, i64)>> {
        let mut connections = vec![self.writer.acquire().await?];
        for _ in 0..READERS {
            connections.push(self.readers.acquire().await?);
        }
        let mut found = Vec::new();
        for mut connection in connections {
            let mode = sqlx::query_scalar("PRAGMA journal_mode")
                .fetch_one(&mut *connection)
                .await?;
            let level = sqlx::query_scalar("PRAGMA synchronous")
                .fetch_one(&mut *connection)
                .await?;
            found.push((mode, level));
        }
        Ok(found)
    }

    /// Closes every connection, after a last checkpoint.
    pub async fn close(&self) {
        self.watcher.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
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

fn path_of(url: &str) -> Result<&Path> {
    url.strip_prefix("sqlite://")
        .filter(|path| !path.is_empty())
        .map(Path::new)
        .ok_or_else(|| {
            Error::Unusable(format!(
                "`{url}` is not a database: expected `sqlite://PATH`"
            ))
        })
}

async fn refuse_old_sqlite(pool: &SqlitePool) -> Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await?;
    let parts: Vec<u32> = version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if parts.as_slice() < OLDEST_SQLITE.as_slice() {
        return Err(Error::Unusable(format!(
            "SQLite {version} can corrupt a database: need 3.51.3"
        )));
    }
    Ok(())
}
