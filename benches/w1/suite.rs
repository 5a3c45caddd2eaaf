//! Owns the order of a whole benchmark: sizes, stores, numbers of nodes, and their phases one by one.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use crate::asked::{Kept, SMALL, Wanted};
use crate::phases::{BASE, Measures, of_nodes};
use crate::place::{Place, Server};
use crate::report::{Run, median, overview};
use crate::server::{self, Private};
use crate::sink::{self, Sink};
use crate::{process, say, workload};

/// Everything that is wanted, as far as the time reaches.
pub(crate) async fn all(wanted: &Wanted) -> Result<()> {
    let until = Instant::now() + wanted.within;
    let stores = stores(wanted)?;
    let minutes = wanted.within.as_secs() / 60;
    say(&format!("at most {minutes} minutes (`--minutes`)\n"))?;
    let sink = Sink::start().await?;
    let mut all = Vec::new();
    for customers in &wanted.sizes {
        let suite = Suite {
            wanted,
            customers: *customers,
            sink: &sink,
        };
        let mut of_size = Vec::new();
        for store in &stores {
            if let Ok(runs) = timeout_at(until, suite.runs(*store)).await {
                of_size.extend(runs?);
            } else {
                say(&format!(
                    "\n{customers} customers, {}: left out, the {minutes} minutes are over\n",
                    store.name()
                ))?;
            }
        }
        say(&overview(&of_size))?;
        all.extend(of_size);
    }
    if let Some(path) = &wanted.json {
        let all: Vec<_> = all.iter().map(Run::json).collect();
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

/// The stores that are wanted, without a PostgreSQL that is not there.
fn stores(wanted: &Wanted) -> Result<Vec<Kept>> {
    let is_there = |store: &Kept| *store == Kept::InFile || server::is_installed();
    let there: Vec<Kept> = wanted.stores.iter().copied().filter(is_there).collect();
    if there.len() < wanted.stores.len() {
        say("PostgreSQL is not installed: it is left out (Debian's package `postgresql`)\n")?;
    }
    Ok(there)
}

/// One size.
struct Suite<'a> {
    wanted: &'a Wanted,
    customers: u64,
    sink: &'a Sink,
}

impl Suite<'_> {
    /// All runs on a store; of each number of nodes the medians, printed.
    async fn runs(&self, store: Kept) -> Result<Vec<Run>> {
        let times = self.wanted.runs(self.customers);
        let mut done: Vec<Vec<Run>> = Vec::new();
        match store {
            Kept::InFile => {
                for _ in 0..times {
                    done.push(vec![self.in_file().await?]);
                }
            }
            Kept::OnServer => {
                let parent = self.parent();
                let server = Private::start(&parent, self.wanted.statements).await?;
                for _ in 0..times {
                    done.push(self.on_server(&server).await?);
                }
            }
        }
        let numbers = done.first().map_or(0, Vec::len);
        let of = |n: usize| {
            done.iter()
                .filter_map(|runs| runs.get(n))
                .collect::<Vec<_>>()
        };
        let medians: Vec<Run> = (0..numbers).filter_map(|n| median(&of(n))).collect();
        for run in &medians {
            say(&run.table())?;
        }
        Ok(medians)
    }

    fn parent(&self) -> PathBuf {
        let folder = self.wanted.folder.clone();
        folder.unwrap_or_else(std::env::temp_dir)
    }

    fn place(&self, folder: &Path, server: Option<Server>) -> Place {
        let is_small = self.customers <= SMALL;
        Place {
            folder: folder.to_owned(),
            customers: self.customers,
            ports: self.sink.ports,
            changes: if is_small { 250 } else { 500 },
            idle: Duration::from_secs(if is_small { 5 } else { 10 }),
            server,
            nodes: 1,
            node: 0,
        }
    }

    fn folder(&self) -> Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        Ok(builder.prefix("drumbeat-w1-").tempdir_in(self.parent())?)
    }

    async fn in_file(&self) -> Result<Run> {
        let folder = self.folder()?;
        let place = self.place(folder.path(), None);
        let mut run = self.begin(&place).await?;
        self.phases(BASE.iter().copied(), &place, None, &mut run)
            .await?;
        self.phases(of_nodes(1), &place, None, &mut run).await?;
        folder.close()?;
        Ok(run)
    }

    /// A run for each number of nodes, all from copies of one database of imported customers.
    async fn on_server(&self, server: &Private) -> Result<Vec<Run>> {
        let folder = self.folder()?;
        let pid = server.pid()?;
        let at = |folder: &Path, url: String| self.place(folder, Some(Server { url, pid }));
        let place = at(folder.path(), server.database("bare", "template0").await);
        let mut imported = self.begin(&place).await?;
        server.remove("bare").await;
        let place = at(folder.path(), server.database("base", "template0").await);
        self.phases(BASE.iter().copied(), &place, Some(server), &mut imported)
            .await?;
        let mut runs = Vec::new();
        for nodes in &self.wanted.nodes {
            let own = folder.path().join(format!("nodes-{nodes}"));
            std::fs::create_dir(&own)?;
            let mut place = at(&own, server.database("copy", "base").await);
            place.nodes = *nodes;
            if *nodes > 1 {
                place.changes = 0;
            }
            let mut run = Run {
                nodes: *nodes,
                load: process::load()?,
                ..imported.clone()
            };
            self.phases(of_nodes(*nodes), &place, Some(server), &mut run)
                .await?;
            server.remove("copy").await;
            runs.push(run);
        }
        server.remove("base").await;
        folder.close()?;
        Ok(runs)
    }

    /// A run without phases yet: its customers written down, and its limits.
    async fn begin(&self, place: &Place) -> Result<Run> {
        workload::write_csv(&place.csv(), self.customers)?;
        let load = process::load()?;
        sink::reset(place.ports).await?;
        Ok(Run {
            store: match place.server {
                Some(_) => Kept::OnServer.name(),
                None => Kept::InFile.name(),
            },
            nodes: 1,
            runs: self.wanted.runs(self.customers),
            customers: self.customers,
            load,
            limits: child("limits", place).await?,
            ..Run::default()
        })
    }

    async fn phases(
        &self,
        phases: impl Iterator<Item = &'static str>,
        place: &Place,
        server: Option<&Private>,
        run: &mut Run,
    ) -> Result<()> {
        for phase in phases.filter(|phase| self.wanted.has(phase)) {
            if let Some(server) = server {
                server.forget().await;
            }
            let measures = child(phase, place).await?;
            run.phases.insert(phase.to_owned(), measures);
            if let Some(server) = server
                && let Some(slowest) = server.slowest().await
            {
                let (customers, nodes) = (place.customers, place.nodes);
                say(&format!(
                    "\n{phase}, {customers} customers, {nodes} nodes:\n{slowest}\n"
                ))?;
            }
        }
        Ok(())
    }
}

/// Runs a phase in a process of its own and reads what it measured.
async fn child(phase: &str, place: &Place) -> Result<Measures> {
    let output = Command::new(std::env::current_exe()?)
        .args(["phase", phase, &place.word()?])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!(
            "the phase `{phase}` at {} customers failed",
            place.customers
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
