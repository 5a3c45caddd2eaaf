//! Owns where the store of a test lives, and a way past the store into its tables.
#![expect(
    clippy::disallowed_methods,
    reason = "which database a run is about is said outside"
)]

use std::array;
use std::path::Path;

use drumbeat::store::{Dialect, Store};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Row as _};

use super::database::Database;

/// With `postgres`, the tests that need any store run on PostgreSQL; otherwise each has a file.
const ON: &str = "DRUMBEAT_TEST_STORE";

/// An address, and the database behind it for as long as this lives.
pub(crate) struct Home {
    pub(crate) url: String,
    _database: Option<Database>,
}

/// A connection past the store.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A transaction that keeps others from writing.
pub(crate) struct Lock(Raw);

impl Lock {
    pub(crate) async fn release(self) {
        match self.0 {
            Raw::Sqlite(raw) => raw.close().await.unwrap(),
            Raw::Postgres(raw) => raw.close().await.unwrap(),
        }
    }
}

impl Home {
    /// The database that this run is about.
    pub(crate) async fn of_the_run(folder: &Path) -> Self {
        if std::env::var(ON).is_ok_and(|on| on == "postgres") {
            Self::on(Database::fresh().await)
        } else {
            Self::file(folder)
        }
    }

    /// A file in this folder.
    pub(crate) fn file(folder: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", folder.join("drumbeat.db").display()),
            _database: None,
        }
    }

    pub(crate) fn on(database: Database) -> Self {
        Self {
            url: database.url().to_owned(),
            _database: Some(database),
        }
    }

    /// The store there; the folder is its workspace.
    pub(crate) async fn open(&self, folder: &Path) -> Store {
        Store::open(&self.url, folder).await.unwrap()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        if self.url.starts_with("sqlite") {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        }
    }

    /// A connection past the store.
    pub(crate) async fn raw(&self) -> Raw {
        match self.dialect() {
            Dialect::Sqlite => Raw::Sqlite(SqliteConnection::connect(&self.url).await.unwrap()),
            Dialect::Postgres | Dialect::Citus => {
                Raw::Postgres(PgConnection::connect(&self.url).await.unwrap())
            }
        }
    }

    /// Writes past the store.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match self.raw().await {
            Raw::Sqlite(mut raw) => {
                sqlx::query(sql).execute(&mut raw).await.unwrap();
                raw.close().await.unwrap();
            }
            Raw::Postgres(mut raw) => {
                sqlx::query(sql).execute(&mut raw).await.unwrap();
                raw.close().await.unwrap();
            }
        }
    }

    /// Keeps everybody from writing to a table, and in a file to any, until it is released.
    pub(crate) async fn lock(&self, table: &str) -> Lock {
        let mut raw = self.raw().await;
        match &mut raw {
            Raw::Sqlite(raw) => {
                let begin = sqlx::query("BEGIN IMMEDIATE");
                begin.execute(raw).await.unwrap();
            }
            Raw::Postgres(raw) => {
                sqlx::query("BEGIN").execute(&mut *raw).await.unwrap();
                let lock = format!("LOCK TABLE {table} IN EXCLUSIVE MODE");
                let lock = sqlx::query(AssertSqlSafe(lock));
                lock.execute(raw).await.unwrap();
            }
        }
        Lock(raw)
    }

    /// Rows of numbers, asked past the store; on PostgreSQL each has to be a `BIGINT`.
    pub(crate) async fn rows<const N: usize>(&self, sql: &str) -> Vec<[i64; N]> {
        let sql = AssertSqlSafe(sql);
        match self.raw().await {
            Raw::Sqlite(mut raw) => {
                let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
                let numbers = rows.iter().map(|row| array::from_fn(|n| row.get(n)));
                numbers.collect()
            }
            Raw::Postgres(mut raw) => {
                let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
                let numbers = rows.iter().map(|row| array::from_fn(|n| row.get(n)));
                numbers.collect()
            }
        }
    }

    /// One number, asked past the store.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        match self.raw().await {
            Raw::Sqlite(mut raw) => {
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut raw).await;
                row.unwrap().get(0)
            }
            Raw::Postgres(mut raw) => {
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut raw).await;
                row.unwrap().get_unchecked(0)
            }
        }
    }
}
