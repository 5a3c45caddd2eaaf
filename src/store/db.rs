//! Owns the door to a database: where it is asked, how a write begins and ends, whichever it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use arc_swap::ArcSwap;
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::{Notify, Semaphore};

use super::blocks::Blocks;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::gathering::Gathering;
use super::lifeline::{Lifeline, Line, Server};
use super::postgres;
use super::sql::query;
use super::sqlite;
use super::tx::{FileTx, PgTx, Pool, Tx};
use super::wants::Wants;

/// So many groups of changes are written to a server beside each other: while one is made durable,
/// the next is on its way. A file has one writer.
const GROUPS: usize = 3;
/// So many questions that may walk through everybody are asked at once; others wait for their turn.
const SCANS: usize = 2;

/// An open, migrated database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) readers: Pool,
    pub(super) writers: Pool,
    pub(super) home: Home,
    /// Told at each of our own commits.
    pub(super) committing: Arc<Notify>,
    pub(super) blocks: Arc<Blocks>,
    /// Changes that wait to be written together.
    pub(super) gathering: Arc<Gathering>,
    /// As which node this process runs, once it has joined.
    pub(super) node: Arc<AtomicI64>,
    /// Turns of questions that may walk through everybody.
    pub(super) scans: Arc<Semaphore>,
    /// Who is to be told of what.
    pub(super) wants: Arc<ArcSwap<Wants>>,
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

impl Store {
    /// Opens `sqlite://PATH` (made with its folder when missing) or `postgres://…`, and migrates it.
    /// A relative path is taken from the workspace; what this process keeps for itself beside a
    /// database on a server goes into the workspace's folder `var`.
    pub async fn open(url: &str, workspace: &Path) -> Result<Self> {
        let store = Self::connect(url, workspace, true).await?;
        store.migrate().await?;
        store.refuse_half_a_copy().await?;
        store.look_often(true).await?;
        store.learn_wants().await?;
        Ok(store)
    }

    /// Opens a database as it is, whatever version its schema has. Without `make` a file must be
    /// there.
    pub async fn connect(url: &str, workspace: &Path, make: bool) -> Result<Self> {
        let file = url.strip_prefix("sqlite://");
        if let Some(path) = file.filter(|path| !path.is_empty()) {
            return Self::in_file(workspace.join(path), make).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::on_server(url, workspace.join("var")).await;
        }
        Err(Error::Unusable(format!(
            "`{url}` is not a database: expected `sqlite://PATH` or `postgres://USER@HOST/DATABASE`"
        )))
    }

    async fn in_file(path: PathBuf, make: bool) -> Result<Self> {
        let committing = Arc::new(Notify::new());
        let opened = sqlite::open(&path, make, &committing).await?;
        Ok(Self {
            readers: Pool::Sqlite(opened.readers),
            writers: Pool::Sqlite(opened.writer),
            home: Home::File {
                path,
                watcher: opened.watcher,
            },
            committing,
            blocks: Arc::default(),
            gathering: Arc::new(Gathering::new(1)),
            node: Arc::default(),
            scans: Arc::new(Semaphore::new(SCANS)),
            wants: Arc::default(),
        })
    }

    async fn on_server(url: &str, folder: PathBuf) -> Result<Self> {
        let opened = postgres::open(url).await?;
        let lifeline = Lifeline::new();
        let server = |pool| {
            let (lifeline, shards) = (lifeline.clone(), opened.shards.clone());
            Pool::Postgres(Server {
                pool,
                lifeline,
                shards,
            })
        };
        Ok(Self {
            readers: server(opened.readers),
            writers: server(opened.writers),
            home: Home::Server { folder },
            committing: Arc::new(Notify::new()),
            blocks: Arc::default(),
            gathering: Arc::new(Gathering::new(GROUPS)),
            node: Arc::default(),
            scans: Arc::new(Semaphore::new(SCANS)),
            wants: Arc::default(),
        })
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.writers.dialect()
    }

    /// Where questions are asked: no writer holds them up.
    pub(super) fn read(&self) -> &Pool {
        &self.readers
    }

    /// Questions that must all be about one moment.
    pub(super) async fn snapshot(&self) -> Result<Tx> {
        match &self.readers {
            Pool::Sqlite(pool) => Ok(self.in_file_tx(pool.begin().await?)),
            Pool::Postgres(server) => {
                let line = server.begin(postgres::SNAPSHOT).await?;
                Ok(self.begun(line, server))
            }
        }
    }

    /// Begins a write: in a file beside no other.
    pub(super) async fn begin(&self) -> Result<Tx> {
        match &self.writers {
            Pool::Sqlite(pool) => Ok(self.in_file_tx(sqlite::begin(pool).await?)),
            Pool::Postgres(server) => Ok(self.begun(server.begin("BEGIN").await?, server)),
        }
    }

    /// Begins a write of what there is once for all: beside no other of its kind.
    pub(super) async fn write(&self) -> Result<Tx> {
        let mut tx = self.begin().await?;
        if let Tx::Postgres(_) = &tx {
            query(postgres::ALONE).execute(&mut tx).await?;
        }
        Ok(tx)
    }

    fn begun(&self, line: Line, server: &Server) -> Tx {
        let beside = match &self.readers {
            Pool::Postgres(readers) => readers.clone(),
            Pool::Sqlite(_) => server.clone(),
        };
        Tx::Postgres(PgTx {
            line,
            beside,
            blocks: Arc::clone(&self.blocks),
            committing: Arc::clone(&self.committing),
            wants: self.wants.load_full(),
        })
    }

    fn in_file_tx(&self, inner: Transaction<'static, Sqlite>) -> Tx {
        let wants = self.wants.load_full();
        Tx::Sqlite(FileTx { inner, wants })
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
            (_, Pool::Postgres(writers)) => postgres::durability(&writers.pool).await,
            (Pool::Postgres(_), Pool::Sqlite(_)) => Ok(Vec::new()),
        }
    }

    /// Whether a write in a file looks often for the end of another process's, or waits patiently.
    pub(super) async fn look_often(&self, often: bool) -> Result<()> {
        match &self.writers {
            Pool::Sqlite(writer) => sqlite::look_often(writer, often).await,
            Pool::Postgres(_) => Ok(()),
        }
    }

    /// Keeps few pages in memory, or as many as usual again: for writes that go through everybody.
    pub async fn sweep(&self, sweeping: bool) -> Result<()> {
        match &self.writers {
            Pool::Sqlite(writer) => sqlite::sweep(writer, sweeping).await,
            Pool::Postgres(_) => Ok(()),
        }
    }

    /// Gives up on a server that does not answer: whatever waits for it ends, perhaps in doubt, and
    /// goes on by connections of its own.
    pub fn let_go(&self) {
        if let Pool::Postgres(server) = &self.writers {
            server.lifeline.let_go();
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
