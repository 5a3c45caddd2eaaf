//! Owns the door to a database: where it is asked, how a write begins and ends, whichever it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::PgPool;
use sqlx::{Postgres, Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use super::dialect::Dialect;
use super::error::{Error, Result};
use super::postgres;
use super::sequences::Blocks;
use super::sqlite;

/// An open, migrated database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) readers: Pool,
    pub(super) writers: Pool,
    pub(super) home: Home,
    /// Told at each of our own commits.
    pub(super) committing: Arc<Notify>,
    pub(super) blocks: Arc<Blocks>,
}

/// Where the database lives.
#[derive(Debug, Clone)]
pub(super) enum Home {
    File {
        path: PathBuf,
        /// One connection that is asked nothing but whether others have written.
        watcher: SqlitePool,
    },
    /// Elsewhere; what a node keeps for itself is in this folder.
    Server { folder: PathBuf },
}

#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction. Dropped, it is undone.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(PgTx),
}

/// A transaction on a server.
pub(super) struct PgTx {
    pub(super) inner: Transaction<'static, Postgres>,
    /// Numbers are taken beside the transaction.
    pub(super) beside: PgPool,
    blocks: Arc<Blocks>,
    committing: Arc<Notify>,
}

/// Where a statement runs.
pub(super) enum On<'c> {
    Pool(&'c Pool),
    Tx(&'c mut Tx),
}

/// How a batch is written whose rows must still be as they were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// All of it, or the transaction is of no use: nothing comes back for a row.
    Whole,
    /// Those that are; which they are comes back.
    Each,
}

impl Store {
    /// Opens `sqlite://PATH` (made with its folder when missing) or `postgres://…`, and migrates it.
    /// A relative path is taken from the workspace; what this process keeps for itself beside a
    /// database on a server goes into the workspace's folder `var`.
    pub async fn open(url: &str, workspace: &Path) -> Result<Self> {
        let file = url.strip_prefix("sqlite://");
        if let Some(path) = file.filter(|path| !path.is_empty()) {
            return sqlite::open(&workspace.join(path)).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres::open(url, &workspace.join("var")).await;
        }
        Err(Error::Unusable(format!(
            "`{url}` is not a database: expected `sqlite://PATH` or `postgres://USER@HOST/DATABASE`"
        )))
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.writers.dialect()
    }

    /// Where questions are asked: no writer holds them up.
    pub(super) fn read(&self) -> &Pool {
        &self.readers
    }

    /// Questions that must all be about one moment.
    pub(super) async fn snapshot(&self) -> Result<Tx> {
        match &self.readers {
            Pool::Sqlite(pool) => Ok(Tx::Sqlite(pool.begin().await?)),
            Pool::Postgres(pool) => {
                let inner = pool.begin_with(postgres::SNAPSHOT).await?;
                Ok(self.on_server(inner, pool))
            }
        }
    }

    /// Begins a write that no other write goes beside.
    pub(super) async fn write(&self) -> Result<Tx> {
        match &self.writers {
            Pool::Sqlite(pool) => Ok(Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?)),
            Pool::Postgres(pool) => {
                let mut inner = pool.begin().await?;
                sqlx::query(postgres::ALONE).execute(&mut *inner).await?;
                Ok(self.on_server(inner, pool))
            }
        }
    }

    fn on_server(&self, inner: Transaction<'static, Postgres>, pool: &PgPool) -> Tx {
        let beside = match &self.readers {
            Pool::Postgres(readers) => readers.clone(),
            Pool::Sqlite(_) => pool.clone(),
        };
        Tx::Postgres(PgTx {
            inner,
            beside,
            blocks: Arc::clone(&self.blocks),
            committing: Arc::clone(&self.committing),
        })
    }

    /// Waits until this process commits; others see it a moment later.
    pub async fn committing(&self) {
        self.committing.notified().await;
    }

    /// A file that belongs to this process's use of the database: beside its file, or in its folder.
    pub fn beside(&self, ending: &str) -> PathBuf {
        match &self.home {
            Home::File { path, .. } => {
                let mut path = path.as_os_str().to_owned();
                path.push(".");
                path.push(ending);
                path.into()
            }
            Home::Server { folder } => folder.join(format!("drumbeat.{ending}")),
        }
    }

    /// How durable a commit is, as every connection tells it: the journal's mode and level for a file,
    /// the level of synchronous commits on a server.
    pub async fn durability(&self) -> Result<Vec<String>> {
        match (&self.readers, &self.writers) {
            (Pool::Sqlite(readers), Pool::Sqlite(writer)) => {
                sqlite::durability(writer, readers).await
            }
            (_, Pool::Postgres(writers)) => postgres::durability(writers).await,
            (Pool::Postgres(_), Pool::Sqlite(_)) => Ok(Vec::new()),
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        if let Home::File { watcher, .. } = &self.home {
            watcher.close().await;
        }
        self.readers.close().await;
        self.writers.close().await;
    }
}

impl Pool {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => {
                tx.inner.commit().await?;
                tx.committing.notify_one();
            }
        }
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await?,
            Self::Postgres(tx) => tx.inner.rollback().await?,
        }
        Ok(())
    }
}

impl PgTx {
    pub(super) fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut Tx> for On<'c> {
    fn from(tx: &'c mut Tx) -> Self {
        Self::Tx(tx)
    }
}
