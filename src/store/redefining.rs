//! Owns changing what people define in the store: the change and the revision that it makes are one.

use super::audit;
use super::db::Store;
use super::definitions::{self, DefinitionEdit};
use super::error::{Error, Result};
use super::model_works;
use super::revisions::{NewRevision, Published, latest_in};
use crate::domain::audit::By;
use crate::domain::ids::RevisionNo;
use crate::domain::model_work::ModelWork;

/// A change of a definition, checked upon what was in force.
#[derive(Debug, Clone)]
pub struct Redefinition<'a> {
    pub edit: &'a DefinitionEdit,
    /// The revision upon which it was checked.
    pub upon: RevisionNo,
    /// What it makes of it.
    pub new: NewRevision<'a>,
    /// What is then left to do for customers.
    pub works: &'a [ModelWork],
    pub by: &'a By,
}

impl Store {
    /// Writes the change and puts its revision in force, or neither.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another change or revision came between: it is to be checked anew.
    pub async fn redefine(&self, change: Redefinition<'_>) -> Result<Published> {
        let mut tx = self.write().await?;
        let (known, at) = (change.new.revision.definitions, change.new.at);
        let is_next = definitions::changes(&mut tx).await? + 1 == known;
        let latest = latest_in(&mut tx).await?;
        if !is_next || latest != Some(change.upon) {
            let overtaken = "another change came between".to_owned();
            return Err(Error::Conflict(overtaken));
        }
        let edit = change.edit;
        let actor = change.by.actor.as_str();
        definitions::write(&mut tx, edit, known, actor, at).await?;
        model_works::add(&mut tx, change.works).await?;
        let what = match edit.body {
            Some(_) => "definition changed",
            None => "definition removed",
        };
        let detail = format!("{} {}", edit.kind, edit.name);
        audit::add(&mut tx, change.by, what, Some(&detail), at).await?;
        self.publish_in(tx, change.new).await
    }
}
