//! Owns the private PostgreSQL of a run: set so that a commit lasts, in a folder beside the databases in files.

#[path = "../../../tests/it/rig/installation.rs"]
#[expect(clippy::unwrap_used, reason = "a cluster is there, or the run fails")]
mod installation;
#[path = "../../../tests/it/rig/port.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "tests use all of it")]
mod port;
#[path = "../../../tests/it/rig/postgres.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "tests use all of it")]
mod postgres;
#[path = "../../../tests/it/rig/program.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "tests use all of it")]
mod program;

use std::path::Path;

use anyhow::{Context as _, Result};

use self::installation::Installation;
pub(crate) use self::postgres::Cluster;
use crate::process;

/// The most of its own memory that the server is given; below that a quarter of the machine's.
const MOST_BUFFERS: f64 = 4096.0;
/// A commit is on the disk before it is answered; a checkpoint seldom comes into a phase.
const SETTINGS: [&str; 4] = [
    "fsync=on",
    "synchronous_commit=on",
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
];
const SLOWEST: &str = "SELECT round(total_exec_time) || ' ms, ' || calls || ' calls, ' || rows || ' rows, ' || \
     round(mean_exec_time::numeric, 2) || ' ms each: ' || left(regexp_replace(query, '\\s+', ' ', 'g'), 400) \
     FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 12";

/// Whether there is a PostgreSQL to start.
pub(crate) fn is_installed() -> bool {
    Installation::installed().is_some()
}

/// A running cluster without anything in it; it ends, with all it has, when this is dropped.
pub(crate) struct Private {
    cluster: Cluster,
    /// Whether the time of each statement is kept.
    watched: bool,
}

impl Private {
    pub(crate) async fn start(parent: &Path, watched: bool) -> Result<Self> {
        let buffers = (process::machine_megabytes()? / 4.0).min(MOST_BUFFERS);
        let buffers = format!("shared_buffers={buffers:.0}MB");
        let mut settings = SETTINGS.to_vec();
        settings.push(&buffers);
        if watched {
            settings.push("shared_preload_libraries=pg_stat_statements");
        }
        let cluster = Cluster::start_in(parent, &settings).await;
        if watched {
            cluster.psql("CREATE EXTENSION pg_stat_statements").await;
        }
        Ok(Self { cluster, watched })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.cluster.pid().context("PostgreSQL does not run")
    }

    /// Makes a database, empty or a copy of another, and says where it is.
    pub(crate) async fn database(&self, name: &str, of: &str) -> String {
        let sql = format!("CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy");
        self.cluster.psql(&sql).await;
        let url = self.cluster.url();
        let server = url.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{name}")
    }

    pub(crate) async fn remove(&self, name: &str) {
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        self.cluster.psql(&sql).await;
    }

    /// Forgets the statements so far.
    pub(crate) async fn forget(&self) {
        if self.watched {
            self.cluster.psql("SELECT pg_stat_statements_reset()").await;
        }
    }

    /// The statements since then that took the most time together, if it is kept.
    pub(crate) async fn slowest(&self) -> Option<String> {
        if self.watched {
            Some(self.cluster.psql(SLOWEST).await)
        } else {
            None
        }
    }
}
