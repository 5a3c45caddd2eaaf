//! Owns the revision as it would be after a change: the files in force, the definitions, and the check.

use serde_json::{Map, Value as Json};

use super::refusal::{Mistake, Refusal};
use crate::domain::definition::{Definition, DefinitionKind, Definitions};
use crate::domain::field::built_in_fields;
use crate::store::{DefinitionEdit, Published, Store};
use crate::workspace::{self, Checked, Diagnostic, Sources, render};

/// What is in force: a change is checked upon it, whatever the files of this machine are by now.
pub(super) struct Ground {
    pub(super) published: Published,
    pub(super) definitions: Definitions,
    pub(super) sources: Sources,
}

impl Ground {
    pub(super) async fn of(store: &Store) -> Result<Self, Refusal> {
        let published = store.current_revision().await?.ok_or(Refusal::NoRevision)?;
        let definitions = store.definitions().await?;
        let sources = store.sources_of(published.number).await?;
        let (hash, commit) = (published.hash.clone(), published.commit.clone());
        let sources = Sources::published(sources, hash, commit);
        Ok(Self {
            published,
            definitions,
            sources,
        })
    }

    pub(super) fn stored(&self, kind: DefinitionKind, name: &str) -> Option<&Definition> {
        self.definitions.find(kind, name)
    }

    /// The file that defines it.
    pub(super) fn file_of(&self, kind: DefinitionKind, name: &str) -> Option<String> {
        workspace::defining_file(&self.sources, kind, name)
    }

    /// Whether it is in force, wherever it is defined.
    pub(super) fn has(&self, kind: DefinitionKind, name: &str) -> bool {
        let revision = &self.published.revision;
        match kind {
            DefinitionKind::Field => revision.data_model.field(name).is_some(),
            DefinitionKind::Tag => revision.data_model.tags.contains_key(name),
            DefinitionKind::Segment | DefinitionKind::SmartList => {
                revision.segments.contains_key(name)
            }
        }
    }

    /// What the body of something is now.
    pub(super) fn body(
        &self,
        kind: DefinitionKind,
        name: &str,
    ) -> Result<Map<String, Json>, Refusal> {
        let unknown = || Refusal::Unknown {
            kind,
            name: name.to_owned(),
        };
        if let Some(file) = self.file_of(kind, name) {
            let name = name.to_owned();
            return Err(Refusal::InFile { kind, name, file });
        }
        match self.stored(kind, name) {
            Some(stored) => Ok(workspace::body(kind, name, &stored.body)),
            None if kind == DefinitionKind::Field && is_built_in(name) => Ok(Map::new()),
            None => Err(unknown()),
        }
    }
}

pub(super) fn is_built_in(field: &str) -> bool {
    let mut built_in = built_in_fields().into_iter();
    built_in.any(|known| known.identifier == field)
}

/// A change with everything around it, checked.
pub(super) struct Draft {
    pub(super) sources: Sources,
    pub(super) checked: Checked,
}

impl Draft {
    /// The whole workspace with the change; what is wrong with it, or would be afterwards, is told.
    pub(super) async fn of(ground: &Ground, edit: &DefinitionEdit) -> Result<Self, Refusal> {
        let changed = with(ground, edit);
        let before = ground.sources.clone().with(&ground.definitions);
        let after = ground.sources.clone().with(&changed);
        let is_removal = edit.body.is_none();
        let checking = tokio::task::spawn_blocking(move || {
            // What a removal leaves dangling may be no more than a warning.
            let before = is_removal.then(|| workspace::check(&before));
            let checked = workspace::check(&after);
            (before, checked, after)
        });
        let (before, checked, sources) = checking.await?;
        let mut wrong: Vec<Diagnostic> = checked.errors().cloned().collect();
        if let Some(before) = before {
            let dangling = checked
                .diagnostics
                .iter()
                .filter(|found| found.code == UNKNOWN_TAG && !before.diagnostics.contains(found));
            wrong.extend(dangling.cloned());
        }
        if wrong.is_empty() {
            return Ok(Self { sources, checked });
        }
        let of = (edit.kind, edit.name.as_str());
        let mistakes = wrong.iter().map(|found| Mistake::of(&sources, of, found));
        Err(Refusal::Wrong {
            mistakes: mistakes.collect(),
            shown: render::text(&sources, &wrong, false),
        })
    }
}

const UNKNOWN_TAG: &str = "unknown-tag";

fn with(ground: &Ground, edit: &DefinitionEdit) -> Definitions {
    let mut changed = ground.definitions.clone();
    changed.changes += 1;
    let place = (edit.kind, edit.name.as_str());
    changed
        .all
        .retain(|one| (one.kind, one.name.as_str()) != place);
    if let Some(body) = &edit.body {
        let at = ground.published.published_at;
        changed.all.push(Definition {
            kind: edit.kind,
            name: edit.name.clone(),
            body: body.clone(),
            version: changed.changes,
            created_at: at,
            updated_at: at,
            actor: String::new(),
        });
        changed
            .all
            .sort_by(|a, b| (a.kind.as_str(), &a.name).cmp(&(b.kind.as_str(), &b.name)));
    }
    changed
}
