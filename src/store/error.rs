//! Owns what can go wrong in the store, sorted by what the caller can do about it.

/// What every question to the store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not found: {0}")]
    NotFound(String),
    /// Another writer was there first; reading again and trying again may help.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The database was locked for longer than we wait; trying later helps.
    #[error("the database is busy")]
    Busy,
    /// What is stored cannot be read; nothing is done with it.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The store cannot be used as it is: wrong version, wrong place, held by another daemon.
    #[error("{0}")]
    Unusable(String),
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => database.code().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        match code.as_deref() {
            // SQLITE_BUSY and its extended codes.
            Some("5" | "261" | "517" | "773") => Self::Busy,
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some("11" | "26") => Self::Corrupt(error.to_string()),
            // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY
            Some("2067" | "1555") => Self::Conflict(error.to_string()),
            _ => Self::Database(error),
        }
    }
}
