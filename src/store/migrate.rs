//! Owns the schema's versions: numbered files, the same numbers and names for every database.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgPool;
use sqlx::{SqlSafeStr as _, SqlitePool};

use super::error::{Error, Result, is_away};

/// Number, name, and the text for SQLite and for PostgreSQL.
const MIGRATIONS: [(i64, &str, &str, &str); 1] = [(
    1,
    "init",
    include_str!("../../migrations/sqlite/0001_init.sql"),
    include_str!("../../migrations/postgres/0001_init.sql"),
)];

/// Brings a file to this version. A database of a later version is refused.
pub(super) async fn sqlite(pool: &SqlitePool) -> Result<()> {
    let texts = MIGRATIONS.map(|(number, name, text, _)| (number, name, text));
    let done = migrator(texts).run(pool).await;
    done.map_err(|error| refused(&error))
}

/// The same on a server; of several that do it at once, one does it.
pub(super) async fn postgres(pool: &PgPool) -> Result<()> {
    let texts = MIGRATIONS.map(|(number, name, _, text)| (number, name, text));
    let done = migrator(texts).run(pool).await;
    done.map_err(|error| refused(&error))
}

fn migrator<const N: usize>(texts: [(i64, &'static str, &'static str); N]) -> Migrator {
    let migration = |(number, name, text): (i64, &'static str, &'static str)| {
        let name = Cow::Borrowed(name);
        Migration::new(
            number,
            name,
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(texts.map(migration).into())
}

fn refused(error: &MigrateError) -> Error {
    let away = matches!(error, MigrateError::Execute(error) if is_away(error));
    let kind = if away { Error::Away } else { Error::Unusable };
    kind(format!("the database cannot be migrated: {error}"))
}
