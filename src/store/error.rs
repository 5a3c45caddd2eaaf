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
    /// The connection ended in the middle: it may be written or not.
    #[error("the database did not say whether it was written")]
    InDoubt,
    /// What is stored cannot be read; nothing is done with it.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// It cannot be done as things stand: the text says why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The store cannot be used as it is: wrong version, wrong place, held by another daemon.
    #[error("{0}")]
    Unusable(String),
    /// The database cannot be reached, or takes nobody now; trying later helps.
    #[error("{0}")]
    Away(String),
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
}

impl Error {
    /// Whether a commit that failed so may have taken place: the connection ended in the middle.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(database)) => {
                // The server ends all sessions (admin_shutdown, crash_shutdown, cannot_connect_now), or
                // has lost this one (class 08).
                let code = database.code().unwrap_or_default();
                code.starts_with("57P") || code.starts_with("08")
            }
            Self::Database(_) => true,
            _ => false,
        }
    }
}

/// Whether the database cannot be reached, or takes nobody now: it starts, ends, or is full.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        // Connection exceptions, insufficient resources, operator intervention.
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            ["08", "53", "57P"]
                .iter()
                .any(|class| code.starts_with(class))
        }
        _ => false,
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => database.code().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        match code.as_deref() {
            // SQLITE_BUSY and its extended codes; serialization_failure, deadlock_detected,
            // lock_not_available.
            Some("5" | "261" | "517" | "773" | "40001" | "40P01" | "55P03") => Self::Busy,
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some("11" | "26") => Self::Corrupt(error.to_string()),
            // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY; unique_violation
            Some("2067" | "1555" | "23505") => Self::Conflict(error.to_string()),
            _ => Self::Database(error),
        }
    }
}
