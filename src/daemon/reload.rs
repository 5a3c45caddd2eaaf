//! Owns reading the files again: what is right is published at once, what is wrong leaves the running revision.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agreement::Agreement;
use super::parts::{self, Workshop};
use super::reading::{Found, Reading, carry_out, read};
use super::systemd;
use crate::channels::setup::BadGateway;
use crate::definitions::publishing::{InForce, Outcome};
use crate::domain::ids::RevisionNo;
use crate::engine::{Engine, Outlets, Pulse};
use crate::store::{self, Published};
use crate::workspace::Watch;

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
    /// Somebody must agree to the files first; an earlier revision goes on.
    Awaiting,
    /// The files have errors; an earlier revision goes on.
    Refused,
    /// Other nodes run a later revision than the files here are of.
    Differs,
    /// Somebody else published, or changed a definition, first.
    Overtaken,
}

/// Reads one workspace again and again.
pub(super) struct Reloader {
    engine: Arc<Engine>,
    workshop: Arc<Workshop>,
    seen: Option<String>,
    /// How many changes of definitions in the store were read with the files.
    definitions: i64,
    asked_at: Option<Timestamp>,
    /// The revision in force that this node cannot run, and since when that is known.
    unfit: Option<(RevisionNo, Instant)>,
}

impl Reloader {
    /// `seen` is the hash of the files that were read at the start, and what was known of the store.
    pub(super) fn new(
        engine: Arc<Engine>,
        workshop: Arc<Workshop>,
        (seen, definitions): (String, i64),
    ) -> Self {
        Self {
            engine,
            workshop,
            seen: Some(seen),
            definitions,
            asked_at: None,
            unfit: None,
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
                    let is_redefined = self.follow().await;
                    let is_asked = self.was_asked().await;
                    if !is_asked && !is_redefined { continue }
                    is_asked
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

    /// Runs what another node published. A node that cannot leaves its customers to the others: by an
    /// older revision nobody is let in and nothing is sent. True when it has definitions in the store that
    /// the files were not checked with yet.
    async fn follow(&mut self) -> bool {
        let running = self.engine.catalog().number();
        let current = match self.engine.store.current_revision_no().await {
            Ok(Some(current)) if current > running => current,
            Ok(_) => return false,
            Err(error) => {
                tracing::error!(%error, "cannot ask which revision is current");
                return false;
            }
        };
        let is_known = |(bad, at): (RevisionNo, Instant)| bad == current && at.elapsed() < RESCAN;
        if self.unfit.is_some_and(is_known) {
            return false;
        }
        match self.install_current().await {
            Ok(Ok(())) => self.unfit = None,
            Ok(Err(bad)) => {
                tracing::error!(
                    revision = current.0,
                    "cannot run what another node published, and leaves its customers to the others:\n{}",
                    told(&bad)
                );
                self.unfit = Some((current, Instant::now()));
                self.engine.duty.stand_aside(true);
            }
            Err(error) => {
                tracing::error!(%error, "cannot read what another node published");
            }
        }
        self.engine.catalog().revision().definitions != self.definitions
    }

    async fn install_current(&self) -> store::Result<Result<(), Vec<BadGateway>>> {
        let store = &self.engine.store;
        let Some(published) = store.current_revision().await? else {
            return Ok(Ok(()));
        };
        let opened = self
            .workshop
            .outlets(&published.revision, &self.engine.outlets());
        let outlets = match opened {
            Ok(outlets) => outlets,
            Err(bad) => return Ok(Err(bad)),
        };
        let revision = published.number;
        tracing::info!(revision = revision.0, "runs what others published");
        let agreement = if self.seen.as_deref() == Some(published.hash.as_str()) {
            Agreement::Ours {
                after: Some(revision),
            }
        } else {
            Agreement::Differs { revision }
        };
        self.install(published, outlets).await?;
        // The files may be on their way here, too.
        self.show(agreement);
        Ok(Ok(()))
    }

    async fn install(&self, published: Published, outlets: Outlets) -> store::Result<()> {
        parts::install(&self.engine, published, outlets).await?;
        self.engine.duty.stand_aside(false);
        self.engine.metrics.awaiting_approval.set(0);
        Ok(())
    }

    async fn was_asked(&mut self) -> bool {
        let asked = self.engine.store.reload_requested().await.ok().flatten();
        let is_new = asked.is_some() && asked != self.asked_at;
        self.asked_at = asked;
        is_new
    }

    async fn reload(&mut self, forced: bool) -> anyhow::Result<Reloaded> {
        loop {
            let workshop = Arc::clone(&self.workshop);
            let reading = tokio::task::spawn_blocking(move || read(&workshop)).await??;
            let reading = reading.with_definitions(&self.engine.store).await?;
            let definitions = reading.sources.definitions();
            let is_same = self.seen.as_deref() == Some(reading.sources.hash())
                && self.definitions == definitions;
            if !forced && is_same {
                return Ok(Reloaded::Unchanged);
            }
            let before = self.seen.replace(reading.sources.hash().to_owned());
            match self.take_over(reading, before.as_deref()).await {
                Ok(Reloaded::Overtaken) => self.seen = before,
                Ok(done) => {
                    self.definitions = definitions;
                    return Ok(done);
                }
                Err(error) => {
                    // Read, and come to nothing: as if it had not been read.
                    self.seen = before;
                    return Err(error);
                }
            }
        }
    }

    /// Publishes what was read, if it may be; `before` is the hash of the files that were read before.
    async fn take_over(&self, reading: Reading, before: Option<&str>) -> anyhow::Result<Reloaded> {
        let store = &self.engine.store;
        let agreement = Agreement::of(store, reading.sources.hash(), before).await?;
        self.show(agreement);
        let after = match agreement {
            Agreement::Ours { after } => after,
            Agreement::Differs { revision } => {
                tracing::error!(
                    revision = revision.0,
                    "the files here are those of an older revision than the other nodes run: they \
                     are left alone, bring them up to date"
                );
                return Ok(Reloaded::Differs);
            }
        };
        let Some(revision) = &reading.checked.revision else {
            return self.refuse(&reading, &[]).await;
        };
        let outlets = match self.workshop.outlets(revision, &self.engine.outlets()) {
            Ok(outlets) => outlets,
            Err(bad) => return self.refuse(&reading, &bad).await,
        };
        let clock = &*self.engine.clock;
        match reading.publish(store, (revision, after), clock).await {
            Err(store::Error::Conflict(_)) => Ok(Reloaded::Overtaken),
            outcome => match outcome? {
                Outcome::InForce(done) => self.run_published(&reading, done, outlets).await,
                Outcome::Awaiting(_) => self.wait_for_approval(&reading).await,
            },
        }
    }

    async fn run_published(
        &self,
        reading: &Reading,
        done: Box<InForce>,
        outlets: Outlets,
    ) -> anyhow::Result<Reloaded> {
        let published = done.published;
        let (revision, now) = (published.number, self.engine.clock.machine());
        tracing::info!(
            revision = revision.0,
            commit = published.commit.as_deref().unwrap_or("none"),
            "published"
        );
        self.install(published, outlets).await?;
        let after = Some(revision);
        self.show(Agreement::Ours { after });
        carry_out(&self.engine.store, &self.engine.clock);
        let found = Found {
            unconverted: &done.unconverted,
            ..Found::default()
        };
        // Whoever waits for the record finds the new revision running.
        reading.record(&self.engine.store, found, now).await?;
        self.engine.metrics.check_failed.set(0);
        Ok(Reloaded::Published)
    }

    async fn wait_for_approval(&self, reading: &Reading) -> anyhow::Result<Reloaded> {
        let engine = &self.engine;
        let now = engine.clock.machine();
        reading.record(&engine.store, Found::default(), now).await?;
        engine.metrics.check_failed.set(0);
        engine.metrics.awaiting_approval.set(1);
        Ok(Reloaded::Awaiting)
    }

    async fn refuse(&self, reading: &Reading, bad: &[BadGateway]) -> anyhow::Result<Reloaded> {
        let now = self.engine.clock.machine();
        let problems: Vec<String> = bad.iter().map(ToString::to_string).collect();
        let found = Found {
            problems: &problems,
            ..Found::default()
        };
        reading.record(&self.engine.store, found, now).await?;
        self.engine.metrics.check_failed.set(1);
        let errors = reading.checked.errors().count();
        tracing::error!(
            errors,
            "the files have errors, the running revision goes on:\n{}{}",
            reading.text(),
            told(bad)
        );
        Ok(Reloaded::Refused)
    }
}

fn told(bad: &[BadGateway]) -> String {
    let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
    bad.join("\n")
}

async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
