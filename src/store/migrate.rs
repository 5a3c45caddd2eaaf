//! Owns the schema's versions: numbered files, the same numbers and names for every database.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::catalog;
use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result, is_away};
use super::sql::query_scalar;
use super::tables::DONE;
use super::tx::Pool;

/// Number, name, and the text for SQLite and for PostgreSQL.
const MIGRATIONS: [(i64, &str, &str, &str); 14] = [
    (
        1,
        "init",
        include_str!("../../migrations/sqlite/0001_init.sql"),
        include_str!("../../migrations/postgres/0001_init.sql"),
    ),
    (
        2,
        "api",
        include_str!("../../migrations/sqlite/0002_api.sql"),
        include_str!("../../migrations/postgres/0002_api.sql"),
    ),
    (
        3,
        "profiles",
        include_str!("../../migrations/sqlite/0003_profiles.sql"),
        include_str!("../../migrations/postgres/0003_profiles.sql"),
    ),
    (
        4,
        "definitions",
        include_str!("../../migrations/sqlite/0004_definitions.sql"),
        include_str!("../../migrations/postgres/0004_definitions.sql"),
    ),
    (
        5,
        "jobs",
        include_str!("../../migrations/sqlite/0005_jobs.sql"),
        include_str!("../../migrations/postgres/0005_jobs.sql"),
    ),
    (
        6,
        "search",
        include_str!("../../migrations/sqlite/0006_search.sql"),
        include_str!("../../migrations/postgres/0006_search.sql"),
    ),
    (
        7,
        "events",
        include_str!("../../migrations/sqlite/0007_events.sql"),
        include_str!("../../migrations/postgres/0007_events.sql"),
    ),
    (
        8,
        "imports",
        include_str!("../../migrations/sqlite/0008_imports.sql"),
        include_str!("../../migrations/postgres/0008_imports.sql"),
    ),
    (
        9,
        "receipts",
        include_str!("../../migrations/sqlite/0009_receipts.sql"),
        include_str!("../../migrations/postgres/0009_receipts.sql"),
    ),
    (
        10,
        "devices",
        include_str!("../../migrations/sqlite/0010_devices.sql"),
        include_str!("../../migrations/postgres/0010_devices.sql"),
    ),
    (
        11,
        "webhooks",
        include_str!("../../migrations/sqlite/0011_webhooks.sql"),
        include_str!("../../migrations/postgres/0011_webhooks.sql"),
    ),
    (
        12,
        "uncertain",
        include_str!("../../migrations/sqlite/0012_uncertain.sql"),
        include_str!("../../migrations/postgres/0012_uncertain.sql"),
    ),
    (
        13,
        "goals",
        include_str!("../../migrations/sqlite/0013_goals.sql"),
        include_str!("../../migrations/postgres/0013_goals.sql"),
    ),
    (
        14,
        "approvals",
        include_str!("../../migrations/sqlite/0014_approvals.sql"),
        include_str!("../../migrations/postgres/0014_approvals.sql"),
    ),
];

const VERSIONS: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// What a database's schema is, beside the one that this program works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The latest version there; none: the database is empty, or not ours.
    pub version: Option<i64>,
    /// The version that this program works with.
    pub ours: i64,
    /// The steps from one to the other, by number and name.
    pub pending: Vec<(i64, &'static str)>,
    /// Versions there that this program does not know: a newer one was at work.
    pub unknown: Vec<i64>,
}

impl Schema {
    /// Whether this program can work with it.
    pub fn is_ours(&self) -> bool {
        self.pending.is_empty() && self.unknown.is_empty()
    }
}

impl Store {
    /// Brings the database to this version; of several that do it at once on a server, one does it.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a database of a later version.
    pub async fn migrate(&self) -> Result<()> {
        let migrator = migrator(self.dialect());
        let done = match &self.writers {
            Pool::Sqlite(pool) => migrator.run(pool).await,
            Pool::Postgres(pool) => migrator.run(&pool.pool).await,
        };
        done.map_err(|error| refused(&error))
    }

    /// Which schema the database has; nothing is changed.
    pub async fn schema(&self) -> Result<Schema> {
        let mut done: Vec<i64> = Vec::new();
        if catalog::tables(self.read()).await?.contains(DONE) {
            done = query_scalar(VERSIONS).fetch_all(self.read()).await?;
        }
        let known = MIGRATIONS.map(|(number, name, _, _)| (number, name));
        Ok(Schema {
            version: done.last().copied(),
            ours: known.iter().map(|(number, _)| *number).max().unwrap_or(0),
            pending: known
                .into_iter()
                .filter(|(number, _)| !done.contains(number))
                .collect(),
            unknown: done
                .into_iter()
                .filter(|number| known.iter().all(|(one, _)| one != number))
                .collect(),
        })
    }
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.map(|(number, name, sqlite, postgres)| {
        let text = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres | Dialect::Citus => postgres,
        };
        let name = Cow::Borrowed(name);
        let text = text.into_sql_str();
        Migration::new(number, name, MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.into())
}

fn refused(error: &MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) if is_away(error) => {
            Error::Away(format!("the database cannot be migrated: {error}"))
        }
        MigrateError::VersionMissing(version) => Error::Unusable(format!(
            "the database was written by a newer version of drumbeat: it has the migration \
             {version}, which this one does not know; install that version, or restore a backup"
        )),
        error => Error::Unusable(format!("the database cannot be migrated: {error}")),
    }
}
