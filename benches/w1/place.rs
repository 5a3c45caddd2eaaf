//! Owns where a run takes place: its folder, its database, its size, its sink, and what every process is told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The sink's ports on this machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) smtp: u16,
    pub(crate) http: u16,
    pub(crate) control: u16,
}

/// A database on a private PostgreSQL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// The process that all its others are children of.
    pub(crate) pid: u32,
}

/// One size on one folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) customers: u64,
    pub(crate) ports: Ports,
    /// Changes of the change-to-enrollment phase.
    pub(crate) changes: u64,
    pub(crate) idle: Duration,
    /// Where the database is; none: a file in the folder.
    pub(crate) server: Option<Server>,
    /// How many processes send.
    pub(crate) nodes: u16,
    /// Which of them this is.
    pub(crate) node: u16,
}

impl Place {
    pub(crate) fn csv(&self) -> PathBuf {
        self.folder.join("customers.csv")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("bench.db")
    }

    /// The database as the store opens it.
    pub(crate) fn url(&self) -> String {
        match &self.server {
            Some(server) => server.url.clone(),
            None => format!("sqlite://{}", self.database().display()),
        }
    }

    /// What a node has for itself.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join(format!("node-{}", self.node))
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.home().join("workspace")
    }

    /// As a word of a command line; [`Place::parse`] reads it.
    pub(crate) fn word(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    pub(crate) fn parse(word: &str) -> Result<Self> {
        Ok(serde_json::from_str(word)?)
    }
}
