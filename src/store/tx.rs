//! Owns connections and transactions, whichever database they are of.

use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use super::blocks::Blocks;
use super::dialect::Dialect;
use super::error::Result;
use super::lifeline::{Line, Server};
use super::shards::Shards;
use super::wants::Wants;

#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(Server),
}

/// A transaction. Dropped, it is undone.
pub(super) enum Tx {
    Sqlite(FileTx),
    Postgres(PgTx),
}

/// A transaction in a file.
pub(super) struct FileTx {
    pub(super) inner: Transaction<'static, Sqlite>,
    pub(super) wants: Arc<Wants>,
}

/// A transaction on a server.
pub(super) struct PgTx {
    pub(super) line: Line,
    /// Numbers are taken beside the transaction.
    pub(super) beside: Server,
    pub(super) blocks: Arc<Blocks>,
    /// Told at each commit.
    pub(super) committing: Arc<Notify>,
    pub(super) wants: Arc<Wants>,
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

impl Pool {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(server) => server.dialect(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(server) => server.pool.close().await,
        }
    }
}

impl Tx {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(tx) => tx.beside.dialect(),
        }
    }

    /// Who is to be told of what is written.
    pub(super) fn wants(&self) -> Arc<Wants> {
        match self {
            Self::Sqlite(tx) => Arc::clone(&tx.wants),
            Self::Postgres(tx) => Arc::clone(&tx.wants),
        }
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.inner.commit().await?,
            Self::Postgres(tx) => {
                tx.line.end("COMMIT").await?;
                tx.committing.notify_one();
            }
        }
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.inner.rollback().await?,
            Self::Postgres(tx) => tx.line.end("ROLLBACK").await?,
        }
        Ok(())
    }
}

impl On<'_> {
    /// The same place, for another statement.
    pub(super) fn again(&mut self) -> On<'_> {
        match self {
            Self::Pool(pool) => On::Pool(pool),
            Self::Tx(tx) => On::Tx(tx),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Pool(pool) => pool.dialect(),
            Self::Tx(tx) => tx.dialect(),
        }
    }

    /// Which buckets lie together, where they are on several shards.
    pub(super) fn shards(&self) -> Option<&Shards> {
        match self {
            Self::Pool(Pool::Postgres(server)) => server.shards.as_deref(),
            Self::Tx(Tx::Postgres(tx)) => tx.beside.shards.as_deref(),
            Self::Pool(Pool::Sqlite(_)) | Self::Tx(Tx::Sqlite(_)) => None,
        }
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
