//! Owns the revision that a command goes by: the one in force, else the folder's, checked and put in force.

use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::output;
use crate::domain::gateway::Secretive;
use crate::settings::Settings;
use crate::store::{Error, NewRevision, Published, Store};
use crate::workspace::{self, Checked, Sources, render};

/// What a workspace's folder says now.
pub(crate) struct Folder {
    pub(crate) sources: Sources,
    pub(crate) checked: Checked,
}

impl Folder {
    pub(crate) fn read(workspace: &Path) -> anyhow::Result<Self> {
        let sources = workspace::load(workspace)
            .with_context(|| format!("the workspace `{}` cannot be read", workspace.display()))?;
        let checked = workspace::check(&sources);
        Ok(Self { sources, checked })
    }

    /// The same folder with what its references stand for, as far as this process knows: keys are read, too.
    pub(crate) fn with_values(self, settings: &Settings) -> Self {
        let reveal = |text: &Secretive| settings.reveal(text).ok();
        let checked = workspace::check_with(&self.sources, &reveal);
        Self { checked, ..self }
    }

    /// The same folder with what people have defined in the store.
    pub(crate) async fn with_definitions(self, store: &Store) -> anyhow::Result<Self> {
        let definitions = store.definitions().await?;
        if definitions.changes == 0 {
            return Ok(self);
        }
        let sources = self.sources.with(&definitions);
        let checked = workspace::check(&sources);
        Ok(Self { sources, checked })
    }

    /// Whether the settings of `drumbeat.yaml` are what is written there.
    pub(crate) fn has_settings(&self) -> bool {
        !self
            .checked
            .errors()
            .any(|error| error.file == "drumbeat.yaml")
    }
}

/// The revision in force. Where there is none yet, the folder is put in force when it has no errors.
pub(crate) async fn in_force(
    store: &Store,
    folder: Option<Folder>,
    workspace: &Path,
    at: Timestamp,
) -> anyhow::Result<Published> {
    match (store.current_revision().await?, folder) {
        (Some(published), Some(folder)) => {
            let folder = folder.with_definitions(store).await?;
            remark_difference(&folder, &published);
            Ok(published)
        }
        (Some(published), None) => Ok(published),
        (None, Some(folder)) => publish(store, &folder, at).await,
        (None, None) => publish(store, &Folder::read(workspace)?, at).await,
    }
}

async fn publish(store: &Store, folder: &Folder, at: Timestamp) -> anyhow::Result<Published> {
    let Some(revision) = &folder.checked.revision else {
        let errors: Vec<_> = folder.checked.errors().cloned().collect();
        bail!(
            "the workspace has errors, and no earlier revision is in force:\n\n{}",
            render::text(&folder.sources, &errors, false)
        );
    };
    let files = folder.sources.files();
    let sources = files.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
    let new = NewRevision {
        revision,
        hash: folder.sources.hash(),
        commit: folder.sources.commit(),
        sources: sources.collect(),
        at,
    };
    match store.publish_after(None, new).await {
        // Somebody was first.
        Err(Error::Conflict(_)) => {
            let published = store.current_revision().await?;
            published.context("no revision is in force any more")
        }
        published => Ok(published?),
    }
}

fn remark_difference(folder: &Folder, published: &Published) {
    let is_newer = folder.checked.revision.as_ref();
    if is_newer.is_some_and(|revision| *revision != published.revision) {
        let number = published.number.0;
        output::note(&format!(
            "the files differ from revision {number}, which is in force until a daemon loads them"
        ));
    }
}
