//! Owns putting changed files in force: values of fields whose type they change are converted on the way.

use super::approval;
use super::survey::{Survey, survey};
use super::works;
use crate::clock::Clock;
use crate::domain::approval::Awaiting;
use crate::domain::conversion::Conversion;
use crate::domain::ids::RevisionNo;
use crate::domain::model_work::ModelWork;
use crate::domain::revision::Revision;
use crate::store::{NewRevision, Published, Result, Store};

/// What became of the files.
pub enum Outcome {
    InForce(Box<InForce>),
    /// Not before somebody agrees.
    Awaiting(Awaiting),
}

/// Files that are in force.
pub struct InForce {
    pub published: Published,
    /// The fields of which some values did not convert: they stay where they were, and are not seen.
    pub unconverted: Vec<Survey>,
}

/// Publishes files as what comes after a revision, unless somebody must agree first. What is left to do
/// for customers afterwards is on the list of [`works::carry_out`].
///
/// # Errors
/// [`crate::store::Error::Conflict`] when another revision, or a change of a definition, came between.
pub async fn publish(
    store: &Store,
    clock: &dyn Clock,
    after: Option<RevisionNo>,
    new: NewRevision<'_>,
) -> Result<Outcome> {
    let current = store.current_revision().await?;
    let current = current.filter(|current| Some(current.number) == after);
    let mut unconverted = Vec::new();
    let mut works = Vec::new();
    if let Some(current) = &current {
        if let Some(awaiting) = approval::held(store, current, &new).await? {
            return Ok(Outcome::Awaiting(awaiting));
        }
        let (was, is) = (&current.revision.data_model, &new.revision.data_model);
        let conversions = Conversion::between(was, is);
        unconverted = losses(store, current, &conversions).await?;
        works::convert_ahead(store, clock, current, (is, &conversions)).await?;
        works.extend(
            conversions
                .into_iter()
                .map(|conversion| ModelWork::Convert {
                    conversion: Box::new(conversion),
                    since: new.at,
                    drops: false,
                }),
        );
    }
    let published = store.publish_leaving(after, new, &works).await?;
    Ok(Outcome::InForce(Box::new(InForce {
        published,
        unconverted,
    })))
}

/// What would not convert if this revision came next.
///
/// # Errors
/// When the store fails.
pub async fn foresee(store: &Store, next: &Revision) -> Result<Vec<Survey>> {
    let Some(current) = store.current_revision().await? else {
        return Ok(Vec::new());
    };
    let conversions = Conversion::between(&current.revision.data_model, &next.data_model);
    losses(store, &current, &conversions).await
}

async fn losses(
    store: &Store,
    current: &Published,
    conversions: &[Conversion],
) -> Result<Vec<Survey>> {
    let mut losses = Vec::new();
    for Conversion { from, to } in conversions {
        let survey = survey(store, current, from, to).await?;
        if survey.lost > 0 {
            losses.push(survey);
        }
    }
    Ok(losses)
}
