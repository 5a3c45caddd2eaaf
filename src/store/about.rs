//! Owns what there is to say about a database as a whole: which one it is, how big, what it holds.

use super::catalog;
use super::db::{Home, Store};
use super::dialect::Dialect;
use super::error::Result;
use super::sql::query_scalar;
use super::tx::Pool;

const SQLITE_SERVER: &str = "SELECT sqlite_version()";
const POSTGRES_SERVER: &str = "SELECT current_setting('server_version')";
const CITUS_SERVER: &str = "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'citus') \
     || ' on PostgreSQL ' || current_setting('server_version')";
const SQLITE_SIZE: &str =
    "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
const POSTGRES_SIZE: &str = "SELECT pg_database_size(current_database())";
/// Of all servers together.
const CITUS_SIZE: &str = "SELECT CAST(sum(CAST(result AS BIGINT)) AS BIGINT) FROM \
     run_command_on_all_nodes('SELECT pg_database_size(current_database())')";
/// What is counted; each with all of its buckets.
const COUNTED: [&str; 4] = ["customers", "enrollments", "dispatches", "interactions"];

/// A database as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `SQLite`, `PostgreSQL` or `Citus`.
    pub kind: &'static str,
    pub server_version: String,
    /// The file, or host, port and database; never a password.
    pub place: String,
    pub bytes: u64,
    /// Rows by table; none where the schema has no such table yet.
    pub rows: Vec<(&'static str, Option<u64>)>,
}

impl Store {
    /// What there is to say about the database, whatever version its schema has.
    pub async fn about(&self) -> Result<About> {
        let (kind, server, size) = match self.dialect() {
            Dialect::Sqlite => ("SQLite", SQLITE_SERVER, SQLITE_SIZE),
            Dialect::Postgres => ("PostgreSQL", POSTGRES_SERVER, POSTGRES_SIZE),
            Dialect::Citus => ("Citus", CITUS_SERVER, CITUS_SIZE),
        };
        let bytes: i64 = query_scalar(size).fetch_one(self.read()).await?;
        Ok(About {
            kind,
            server_version: query_scalar(server).fetch_one(self.read()).await?,
            place: self.place(),
            bytes: bytes.unsigned_abs(),
            rows: self.counted().await?,
        })
    }

    /// Where the database is: its file, or its host, port and name.
    pub fn place(&self) -> String {
        match (&self.home, &self.writers) {
            (Home::File { path, .. }, _) => {
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                format!("`{}`", whole.display())
            }
            (Home::Server { .. }, Pool::Postgres(pool)) => {
                let options = pool.pool.connect_options();
                let (host, port) = (options.get_host(), options.get_port());
                let name = options.get_database();
                let name = name.unwrap_or_else(|| options.get_username());
                format!("`{name}` at {host}:{port}")
            }
            (Home::Server { folder }, Pool::Sqlite(_)) => format!("`{}`", folder.display()),
        }
    }

    async fn counted(&self) -> Result<Vec<(&'static str, Option<u64>)>> {
        let tables = catalog::tables(self.read()).await?;
        let mut rows = Vec::new();
        for table in COUNTED {
            let mut count = None;
            if tables.contains(table) {
                let statement =
                    format!("@everywhere(people)SELECT count(*) FROM {table} WHERE bucket >= 0");
                let found: i64 = query_scalar(statement).fetch_one(self.read()).await?;
                count = Some(found.unsigned_abs());
            }
            rows.push((table, count));
        }
        Ok(rows)
    }
}
