//! Owns one reading of the files, with what people defined in the store beside them.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::parts::Workshop;
use crate::clock::Clock;
use crate::definitions::publishing::{self, Outcome};
use crate::definitions::survey::Survey;
use crate::definitions::works;
use crate::domain::daemon_settings::DaemonSettings;
use crate::domain::ids::RevisionNo;
use crate::domain::revision::Revision;
use crate::store::{self, CheckRecord, NewRevision, Store};
use crate::workspace::{self, Checked, Sources, render};

/// The files as they were read once.
pub(super) struct Reading {
    pub(super) sources: Sources,
    pub(super) checked: Checked,
}

/// What was found beside the files' own mistakes.
#[derive(Clone, Copy, Default)]
pub(super) struct Found<'a> {
    /// What keeps them from running here.
    pub(super) problems: &'a [String],
    /// The fields of which some values did not convert.
    pub(super) unconverted: &'a [Survey],
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

    /// The same files with what people have defined in the store by now.
    pub(super) async fn with_definitions(self, store: &Store) -> anyhow::Result<Self> {
        let definitions = store.definitions().await?;
        if definitions.changes == self.sources.definitions() {
            return Ok(self);
        }
        let sources = self.sources.with(&definitions);
        let checking = tokio::task::spawn_blocking(move || {
            let checked = workspace::check(&sources);
            Self { sources, checked }
        });
        Ok(checking.await?)
    }

    /// Takes in what people have defined in the store by now.
    pub(super) async fn refresh(&mut self, store: &Store) -> anyhow::Result<()> {
        let reading = Self {
            sources: self.sources.clone(),
            checked: self.checked.clone(),
        };
        *self = reading.with_definitions(store).await?;
        Ok(())
    }

    /// Keeps what was found, so that status, probes and the console can say it.
    pub(super) async fn record(
        &self,
        store: &Store,
        found: Found<'_>,
        at: Timestamp,
    ) -> store::Result<()> {
        let errors = self.checked.errors().count() + found.problems.len();
        let record = CheckRecord {
            ok: errors == 0,
            errors: u32::try_from(errors).unwrap_or(u32::MAX),
            at,
            hash: self.sources.hash().to_owned(),
            report: json!({
                "diagnostics": render::json(&self.checked.diagnostics),
                "problems": found.problems,
                "unconverted": found.unconverted,
            }),
        };
        store.record_check(&record).await
    }

    /// Publishes what was read, as what comes after a revision; [`store::Error::Conflict`] when that is
    /// not the one in force any more, or a definition in the store was changed meanwhile.
    pub(super) async fn publish(
        &self,
        store: &Store,
        (revision, after): (&Revision, Option<RevisionNo>),
        clock: &dyn Clock,
    ) -> store::Result<Outcome> {
        let sources = self
            .sources
            .files()
            .map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()))
            .collect();
        let (hash, commit) = (self.sources.hash(), self.sources.commit());
        let new = NewRevision {
            revision,
            hash,
            commit,
            sources,
            at: clock.now(),
        };
        let outcome = publishing::publish(store, clock, after, new).await?;
        match &outcome {
            Outcome::InForce(done) => remark(&done.unconverted),
            Outcome::Awaiting(awaiting) => tracing::warn!(
                revision = awaiting.revision.0,
                customers = awaiting.reach.customers(),
                above = awaiting.reach.above,
                "the files would newly let more customers into flows than may enter before somebody \
                 agrees: the running revision goes on until `drumbeat approve`"
            ),
        }
        Ok(outcome)
    }
}

fn remark(unconverted: &[Survey]) {
    for survey in unconverted {
        tracing::warn!(
            field = survey.field,
            customers = survey.customers,
            unconverted = survey.lost,
            "some values do not convert to the field's new type: they stay where they were, and are \
                 seen again when the type is changed back"
        );
    }
}

/// Does what is left to do for customers since fields changed; the daemon goes on meanwhile.
pub(super) fn carry_out(store: &Store, clock: &Arc<dyn Clock>) {
    let (store, clock) = (store.clone(), Arc::clone(clock));
    tokio::spawn(async move {
        if let Err(error) = works::carry_out(&store, &*clock).await {
            tracing::error!(%error, "cannot finish what a change of fields or tags asks for: the next start goes on");
        }
    });
}
