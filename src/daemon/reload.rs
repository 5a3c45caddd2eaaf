//! Owns reading the files again: what is right is published at once, what is wrong leaves the running revision.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agreement::Agreement;
use super::parts::{self, Workshop};
use super::systemd;
use crate::domain::daemon_settings::DaemonSettings;
use crate::engine::{Engine, Pulse};
use crate::store::{CheckRecord, NewRevision, Published, Store};
use crate::workspace::{self, Checked, Sources, Watch, render};

/// Files are read again this often even if no event came: network file systems send none.
const RESCAN: Duration = Duration::from_mins(1);

/// A reading that failed is tried again after this.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What reading the files came to.
#[derive(Debug)]
pub(super) enum Reloaded {
    Unchanged,
    /// What runs is what the files say.
    Published,
    /// The files have errors; an earlier revision goes on.
    Refused,
    /// Other nodes run a later revision than the files here are of.
    Differs,
}

/// Reads one workspace again and again.
pub(super) struct Reloader {
    engine: Arc<Engine>,
    workshop: Arc<Workshop>,
    seen: Option<String>,
    asked_at: Option<Timestamp>,
}

/// The files as they were read once.
pub(super) struct Reading {
    pub(super) sources: Sources,
    pub(super) checked: Checked,
}

pub(super) fn read(workshop: &Workshop) -> io::Result<Reading> {
    let sources = workspace::load(&workshop.workspace)?;
    let checked = workspace::check(&sources);
    Ok(Reading { sources, checked })
}

impl Reading {
    pub(super) fn settings(&self) -> &DaemonSettings {
        &self.checked.settings
    }

    pub(super) fn text(&self) -> String {
        render::text(&self.sources, &self.checked.diagnostics, false)
    }

    /// Keeps what was found, so that status, probes and the console can say it.
    pub(super) async fn record(
        &self,
        store: &Store,
        problems: &[String],
        at: Timestamp,
    ) -> crate::store::Result<()> {
        let errors = self.checked.errors().count() + problems.len();
        let record = CheckRecord {
            ok: errors == 0,
            errors: u32::try_from(errors).unwrap_or(u32::MAX),
            at,
            hash: self.sources.hash().to_owned(),
            report: json!({
                "diagnostics": render::json(&self.checked.diagnostics),
                "problems": problems,
            }),
        };
        store.record_check(&record).await
    }

    /// Publishes what was read, if it has no errors.
    pub(super) async fn publish(
        &self,
        store: &Store,
        at: Timestamp,
    ) -> crate::store::Result<Option<Published>> {
        let Some(revision) = &self.checked.revision else {
            return Ok(None);
        };
        let sources = self
            .sources
            .files()
            .map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()))
            .collect();
        let (hash, commit) = (self.sources.hash(), self.sources.commit());
        store
            .publish(NewRevision {
                revision,
                hash,
                commit,
                sources,
                at,
            })
            .await
            .map(Some)
    }
}

impl Reloader {
    /// `seen` is the hash of the files that were read at the start.
    pub(super) fn new(engine: Arc<Engine>, workshop: Arc<Workshop>, seen: String) -> Self {
        Self {
            engine,
            workshop,
            seen: Some(seen),
            asked_at: None,
        }
    }

    /// Reads the files on every event, request and signal, and now and then, until stopped.
    pub(super) async fn run(
        mut self,
        mut pulse: Pulse,
        hangup: Arc<tokio::sync::Notify>,
        stop: CancellationToken,
    ) {
        let mut watch = match Watch::start(&self.workshop.workspace) {
            Ok(watch) => Some(watch),
            Err(error) => {
                tracing::warn!(%error, "cannot watch the workspace: it is read once a minute");
                None
            }
        };
        self.asked_at = self.engine.store.reload_requested().await.ok().flatten();
        // What changed before the watch began was told to nobody.
        let mut next = Instant::now();
        // Asked for, and not done yet: the store could not be asked.
        let mut owed = false;
        loop {
            let forced = tokio::select! {
                () = stop.cancelled() => return,
                () = changed(watch.as_mut()) => false,
                () = tokio::time::sleep_until(next) => false,
                () = hangup.notified() => { systemd::reloading(); true }
                () = pulse.changed() => {
                    self.follow().await;
                    if self.was_asked().await { true } else { continue }
                }
            };
            owed |= forced;
            let failed = self.reload(owed).await.err();
            owed &= failed.is_some();
            next = Instant::now()
                + if failed.is_some() {
                    AFTER_FAILURE
                } else {
                    RESCAN
                };
            if let Some(error) = failed {
                tracing::error!(%error, "cannot read the workspace again");
            }
            if forced {
                systemd::ready("running");
            }
        }
    }

    /// What other nodes see of this one.
    fn show(&self, agreement: Agreement) {
        let engine = &self.engine;
        engine
            .duty
            .show(self.seen.clone(), engine.catalog().number().0);
        let differs = matches!(agreement, Agreement::Differs { .. });
        engine.metrics.files_differ.set(i64::from(differs));
    }

    /// Runs what another node published.
    async fn follow(&self) {
        let running = self.engine.catalog().number();
        match self.engine.store.current_revision_no().await {
            Ok(Some(current)) if current > running => {}
            Ok(_) => return,
            Err(error) => {
                tracing::error!(%error, "cannot ask which revision is current");
                return;
            }
        }
        if let Err(error) = self.install_current().await {
            tracing::error!(%error, "cannot run what another node published");
        }
    }

    async fn install_current(&self) -> anyhow::Result<()> {
        let store = &self.engine.store;
        let Some(published) = store.current_revision().await? else {
            return Ok(());
        };
        let opened = self
            .workshop
            .outlets(&published.revision, &self.engine.outlets());
        let outlets = opened.map_err(|bad| {
            let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", bad.join("\n"))
        })?;
        tracing::info!(
            revision = published.number.0,
            "runs what another node published"
        );
        let revision = published.number;
        let agreement = if self.seen.as_deref() == Some(published.hash.as_str()) {
            Agreement::Ours
        } else {
            Agreement::Differs { revision }
        };
        parts::install(&self.engine, published, outlets).await?;
        // The files may be on their way here, too.
        self.show(agreement);
        Ok(())
    }

    async fn was_asked(&mut self) -> bool {
        let asked = self.engine.store.reload_requested().await.ok().flatten();
        let is_new = asked.is_some() && asked != self.asked_at;
        self.asked_at = asked;
        is_new
    }

    async fn reload(&mut self, forced: bool) -> anyhow::Result<Reloaded> {
        let workshop = Arc::clone(&self.workshop);
        let reading = tokio::task::spawn_blocking(move || read(&workshop)).await??;
        if !forced && self.seen.as_deref() == Some(reading.sources.hash()) {
            return Ok(Reloaded::Unchanged);
        }
        let before = self.seen.replace(reading.sources.hash().to_owned());
        let done = self.take_over(reading, before.as_deref()).await;
        if done.is_err() {
            // Read, and come to nothing: as if it had not been read.
            self.seen = before;
        }
        done
    }

    /// Publishes what was read, if it may be; `before` is the hash of the files that were read before.
    async fn take_over(&self, reading: Reading, before: Option<&str>) -> anyhow::Result<Reloaded> {
        let store = &self.engine.store;
        let agreement = Agreement::of(store, reading.sources.hash(), before).await?;
        self.show(agreement);
        if let Agreement::Differs { revision } = agreement {
            tracing::error!(
                revision = revision.0,
                "the files here are those of an older revision than the other nodes run: they are \
                 left alone, bring them up to date"
            );
            return Ok(Reloaded::Differs);
        }
        let now = self.engine.clock.machine();
        let outlets = match &reading.checked.revision {
            None => None,
            Some(revision) => {
                let opened = self.workshop.outlets(revision, &self.engine.outlets());
                match opened {
                    Ok(outlets) => Some(outlets),
                    Err(bad) => {
                        let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
                        return self.refuse(&reading, &bad).await;
                    }
                }
            }
        };
        let Some(outlets) = outlets else {
            return self.refuse(&reading, &[]).await;
        };
        let Some(published) = reading.publish(store, self.engine.clock.now()).await? else {
            return self.refuse(&reading, &[]).await;
        };
        tracing::info!(
            revision = published.number.0,
            commit = published.commit.as_deref().unwrap_or("none"),
            "published"
        );
        parts::install(&self.engine, published, outlets).await?;
        self.show(Agreement::Ours);
        // Whoever waits for the record finds the new revision running.
        reading.record(store, &[], now).await?;
        self.engine.metrics.check_failed.set(0);
        Ok(Reloaded::Published)
    }

    async fn refuse(&self, reading: &Reading, problems: &[String]) -> anyhow::Result<Reloaded> {
        let now = self.engine.clock.machine();
        reading.record(&self.engine.store, problems, now).await?;
        self.engine.metrics.check_failed.set(1);
        let errors = reading.checked.errors().count();
        tracing::error!(
            errors,
            "the files have errors, the running revision goes on:\n{}{}",
            reading.text(),
            problems.join("\n")
        );
        Ok(Reloaded::Refused)
    }
}

async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
