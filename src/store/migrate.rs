//! Owns the schema's versions: numbered files, the same numbers for every database.

use std::borrow::Cow;

use sqlx::SqlitePool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::error::{Error, Result};

const SQLITE: [(i64, &str, &str); 1] = [(
    1,
    "init",
    include_str!("../../migrations/sqlite/0001_init.sql"),
)];

/// Brings the database to this version. A database of a later version is refused.
pub(super) async fn run(pool: &SqlitePool) -> Result<()> {
    let migrations = SQLITE
        .into_iter()
        .map(|(version, name, sql)| {
            let sql = sqlx::SqlSafeStr::into_sql_str(sql);
            Migration::new(
                version,
                Cow::Borrowed(name),
                MigrationType::Simple,
                sql,
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
        .run(pool)
        .await
        .map_err(|error| Error::Unusable(format!("the database cannot be migrated: {error}")))
}
