//! Owns what the benchmark asks a database past the store: sizes, counts, and whether somebody is enrolled.

use anyhow::Result;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use drumbeat::domain::ids::CustomerId;

use crate::phases::number;
use crate::place::Place;

/// Bytes of the database's pages that hold something.
const FILE_BYTES: &str = "SELECT (page_count - freelist_count) * page_size \
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
const SERVER_BYTES: &str = "SELECT pg_database_size(current_database())";
const FINISHED: &str = "SELECT count(*) FROM enrollments WHERE status = 10";
const ENROLLED: &str = "SELECT count(*) FROM enrollments WHERE bucket = $1 AND customer_id = $2";
const LOGGED: &str = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS BIGINT)";

/// A connection of its own, beside the store's.
pub(crate) enum Raw {
    File(SqliteConnection),
    Server(PgConnection),
}

impl Raw {
    pub(crate) async fn open(place: &Place) -> Result<Self> {
        if let Some(server) = &place.server {
            return Ok(Self::Server(PgConnection::connect(&server.url).await?));
        }
        let options = SqliteConnectOptions::new().filename(place.database());
        let options = options.pragma("query_only", "ON");
        Ok(Self::File(options.connect().await?))
    }

    /// What the database takes: a file its pages in use, a server's all its tables and indexes.
    pub(crate) async fn bytes(&mut self) -> Result<f64> {
        let text = match self {
            Self::File(_) => FILE_BYTES,
            Self::Server(_) => SERVER_BYTES,
        };
        Ok(number(self.count(text, &[]).await?))
    }

    pub(crate) async fn finished(&mut self) -> Result<u64> {
        self.count(FINISHED, &[]).await
    }

    pub(crate) async fn is_enrolled(&mut self, customer: CustomerId) -> Result<bool> {
        let place = [i64::from(customer.bucket().0), customer.0];
        Ok(self.count(ENROLLED, &place).await? > 0)
    }

    /// Bytes that a server has written to its log so far.
    pub(crate) async fn logged(&mut self) -> Result<f64> {
        match self {
            Self::File(_) => Ok(0.0),
            Self::Server(_) => Ok(number(self.count(LOGGED, &[]).await?)),
        }
    }

    async fn count(&mut self, text: &'static str, values: &[i64]) -> Result<u64> {
        let count = match self {
            Self::File(connection) => {
                let query = values
                    .iter()
                    .fold(sqlx::query_scalar(text), |q, v| q.bind(*v));
                query.fetch_one(connection).await?
            }
            Self::Server(connection) => {
                let query = values
                    .iter()
                    .fold(sqlx::query_scalar(text), |q, v| q.bind(*v));
                query.fetch_one(connection).await?
            }
        };
        let count: i64 = count;
        Ok(count.unsigned_abs())
    }
}
