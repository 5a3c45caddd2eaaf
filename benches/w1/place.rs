//! Owns where a run takes place: its folder, its size, its sink, and what every phase is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The sink's ports on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) smtp: u16,
    pub(crate) http: u16,
    pub(crate) control: u16,
}

/// One size on one folder.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) customers: u64,
    pub(crate) ports: Ports,
    /// Changes of the change-to-enrollment phase.
    pub(crate) changes: u64,
    pub(crate) idle: Duration,
}

impl Place {
    pub(crate) fn csv(&self) -> PathBuf {
        self.folder.join("customers.csv")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("bench.db")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    /// As words of a command line; [`Place::parse`] reads them.
    pub(crate) fn words(&self) -> Vec<String> {
        let Ports {
            smtp,
            http,
            control,
        } = self.ports;
        vec![
            self.folder.display().to_string(),
            self.customers.to_string(),
            smtp.to_string(),
            http.to_string(),
            control.to_string(),
            self.changes.to_string(),
            self.idle.as_secs().to_string(),
        ]
    }

    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let word = |place: usize| words.get(place).context("a phase needs seven words");
        Ok(Self {
            folder: Path::new(word(0)?).to_owned(),
            customers: word(1)?.parse()?,
            ports: Ports {
                smtp: word(2)?.parse()?,
                http: word(3)?.parse()?,
                control: word(4)?.parse()?,
            },
            changes: word(5)?.parse()?,
            idle: Duration::from_secs(word(6)?.parse()?),
        })
    }
}
