//! Owns what the counted processes find: databases that are made once, and copied for each of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use drumbeat::engine::Parker;

use crate::operations;
use crate::place::{Place, Ports};
use crate::rig::{self, Rig, Wire};
use crate::workload::{self, ONBOARDING};

/// How many are imported.
pub(crate) const ROWS: u64 = 20_000;
/// How many there are where the segment is enrolled: many, because where a statement is prepared, and
/// so how often, is left to chance, and costs the same for few messages as for many.
pub(crate) const CUSTOMERS: u64 = 50_000;

/// What a process finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A file of customers, and a store without any.
    Empty,
    /// Imported customers whom the engine has looked at, and a flow that begins.
    Known,
    /// The flow's members, all with a message that is due.
    Due,
}

impl Start {
    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Known => "known",
            Self::Due => "due",
        }
    }

    fn customers(self) -> u64 {
        match self {
            Self::Empty => ROWS,
            Self::Known | Self::Due => CUSTOMERS,
        }
    }
}

pub(crate) fn place(start: Start, folder: &Path) -> Place {
    Place {
        folder: folder.to_owned(),
        customers: start.customers(),
        // Nothing is sent there.
        ports: Ports {
            smtp: 25,
            http: 80,
            control: 1,
        },
        changes: 0,
        idle: Duration::ZERO,
        server: None,
        nodes: 1,
        node: 0,
    }
}

/// The databases, removed when this is dropped.
pub(crate) struct Prepared(TempDir);

impl Prepared {
    pub(crate) async fn make() -> Result<Self> {
        let prepared = Self(
            tempfile::Builder::new()
                .prefix("drumbeat-counts-")
                .tempdir()?,
        );
        prepared.empty().await?;
        prepared.known().await?;
        prepared.due().await?;
        Ok(prepared)
    }

    async fn empty(&self) -> Result<()> {
        let empty = self.place(Start::Empty);
        std::fs::create_dir(&empty.folder)?;
        workload::write_csv(&empty.csv(), empty.customers)?;
        let store = rig::open_store(&empty).await?;
        operations::take(&store, &empty, false).await?;
        store.close().await;
        Ok(())
    }

    async fn known(&self) -> Result<()> {
        let known = self.place(Start::Known);
        std::fs::create_dir(&known.folder)?;
        workload::write_csv(&known.csv(), known.customers)?;
        let store = rig::open_store(&known).await?;
        operations::take(&store, &known, true).await?;
        store.close().await;
        let rig = Rig::open(&known, &[], Wire::None, 0).await?;
        operations::enroll(&rig, 0).await?;
        rig.close().await?;
        let rig = Rig::open(&known, &[ONBOARDING], Wire::None, 0).await?;
        Parker::new(Arc::clone(&rig.engine)).run_once().await?;
        rig.close().await?;
        Ok(())
    }

    async fn due(&self) -> Result<()> {
        let due = self.place(Start::Due);
        copy(&self.folder(Start::Known), &due.folder)?;
        let rig = Rig::open(&due, &[ONBOARDING], Wire::None, 0).await?;
        operations::enroll(&rig, workload::members(due.customers)).await?;
        rig.close().await?;
        Ok(())
    }

    fn place(&self, start: Start) -> Place {
        place(start, &self.folder(start))
    }

    fn folder(&self, start: Start) -> PathBuf {
        self.0.path().join(start.name())
    }

    /// A copy that a process may write to.
    pub(crate) fn copy(&self, start: Start) -> Result<TempDir> {
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(self.0.path())?;
        copy(&self.folder(start), folder.path())?;
        Ok(folder)
    }
}

/// Copies the files; the folders in it are written anew by whoever opens it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
