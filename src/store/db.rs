//! Owns the connections: one writer, many readers, and the settings that make a commit durable.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::error::{Error, Result};
use super::migrate;

/// The first release with the fix for corruption by concurrent WAL resets (sqlite.org/wal.html).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const CACHE_KIB: &str = "-65536";

/// An open, migrated database.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A writing transaction: nobody else writes until it ends.
pub(super) type Tx = Transaction<'static, Sqlite>;

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
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        refuse_old_sqlite(&writer).await?;
        migrate::run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers,
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
            .pragma("cache_size", CACHE_KIB)
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

    /// The writing connection outside a transaction: pragmas only.
    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// The database's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
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
        self.readers.close().await;
        self.writer.close().await;
    }
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
