//! Owns what the daemon is started with, and why it may not run.

use std::path::PathBuf;

use crate::store;

/// What the daemon is started with.
#[derive(Debug, Clone)]
pub struct Options {
    pub workspace: PathBuf,
    /// Overrides the settings' database.
    pub database: Option<String>,
    /// Seconds of flow time in one second.
    pub clock_scale: Option<f64>,
    /// Stop by itself when nobody waits and nothing is to be sent.
    pub until_idle: bool,
    /// Overrides the settings' listen address.
    pub listen: Option<String>,
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot run: exit code 78.
    #[error("{0}")]
    Configuration(String),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

pub(super) fn other(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Other(error.into())
}

pub(super) fn unusable(error: store::Error) -> Failure {
    match error {
        store::Error::Unusable(why) => Failure::Configuration(why),
        error => other(error),
    }
}
