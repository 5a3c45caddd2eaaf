//! Owns what a phase is told: where it works, on how many customers, and how hard.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A phase runs in a process of its own, and is told this as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// The database of the run.
    pub(crate) url: String,
    pub(crate) customers: u64,
    pub(crate) variant: String,
    /// Changes per second, and for how many seconds they come.
    pub(crate) rate: u64,
    pub(crate) seconds: u64,
    /// The first customer who is changed.
    pub(crate) first: u64,
    /// Messages per second that the channel may send.
    pub(crate) pace: u32,
    /// Seconds for which the gateway is away.
    pub(crate) away: u64,
}

impl Place {
    pub(crate) fn csv(&self) -> PathBuf {
        self.folder.join("customers.csv")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    /// A server is used by others, too, and keeps its own time.
    pub(crate) fn is_on_server(&self) -> bool {
        !self.url.starts_with("sqlite:")
    }
}
