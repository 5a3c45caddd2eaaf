//! Owns the databases of the runs, and what is asked of them past the store.

use std::path::Path;
use std::str::FromStr as _;

use anyhow::{Context as _, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// A connection beside the store's own.
pub(crate) enum Raw {
    File(SqliteConnection),
    Server(PgConnection),
}

impl Raw {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => Self::File(
                SqliteConnectOptions::new()
                    .filename(path)
                    .busy_timeout(std::time::Duration::from_mins(1))
                    .connect()
                    .await?,
            ),
            None => Self::Server(PgConnectOptions::from_str(url)?.connect().await?),
        })
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// How many rows a statement wrote.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64> {
        let query = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::File(connection) => {
                let done = sqlx::query(query).execute(connection).await?;
                done.rows_affected()
            }
            Self::Server(connection) => {
                let done = sqlx::query(query).execute(connection).await?;
                done.rows_affected()
            }
        })
    }

    /// Pairs of big integers of which the statement's `$1` and `$2` are the bounds.
    pub(crate) async fn pairs(&mut self, sql: &str, binds: [i64; 2]) -> Result<Vec<(i64, i64)>> {
        let query = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::File(connection) => {
                let query = sqlx::query_as(query).bind(binds[0]).bind(binds[1]);
                query.fetch_all(connection).await?
            }
            Self::Server(connection) => {
                let query = sqlx::query_as(query).bind(binds[0]).bind(binds[1]);
                query.fetch_all(connection).await?
            }
        })
    }
}

/// The database of one run; one on a server is removed by [`Database::close`].
pub(crate) struct Database {
    pub(crate) url: String,
    /// The server, and the name there.
    remote: Option<(String, String)>,
}

impl Database {
    /// A new one: in the folder, or of this name beside the database of `server`.
    pub(crate) async fn make(folder: &Path, server: Option<&str>, name: &str) -> Result<Self> {
        let Some(server) = server else {
            let url = format!("sqlite://{}", folder.join("bench.db").display());
            return Ok(Self { url, remote: None });
        };
        let name = name.to_ascii_lowercase().replace('-', "_");
        let mut raw = Raw::open(server).await?;
        raw.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await?;
        let (base, options) = server.split_once('?').unwrap_or((server, ""));
        let (base, _) = base
            .rsplit_once('/')
            .context("the address names no database")?;
        let url = match options {
            "" => format!("{base}/{name}"),
            options => format!("{base}/{name}?{options}"),
        };
        let remote = Some((server.to_owned(), name));
        Ok(Self { url, remote })
    }

    pub(crate) async fn close(self) -> Result<()> {
        if let Some((server, name)) = self.remote {
            let mut raw = Raw::open(&server).await?;
            raw.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await?;
            if let Raw::Server(connection) = raw {
                connection.close().await?;
            }
        }
        Ok(())
    }
}
