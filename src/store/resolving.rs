//! Owns what a person says became of a message of which nobody knew whether its gateway took it.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use super::db::Store;
use super::error::{Error, Result};
use super::fates;
use super::hearing::{self, Addresses, Hearing, Told};
use crate::domain::audit::By;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::DispatchId;
use crate::domain::news::Fate;

/// What somebody says of an uncertain message.
#[derive(Debug, Clone, Copy)]
pub struct Resolving<'a> {
    /// Whether the gateway took it.
    pub taken: bool,
    /// How they know.
    pub note: Option<&'a str>,
    pub by: &'a By,
    /// Whether a segment asks what was sent.
    pub marks: bool,
    pub now: Timestamp,
}

/// Where a dispatch stands after it was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    pub state: DispatchState,
    /// Whether it was uncertain; otherwise it stays as it was.
    pub changed: bool,
}

impl Store {
    /// Settles an uncertain dispatch, with a line in the history and one in the audit. One that is not
    /// uncertain, or not any more, stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a dispatch that this store does not have.
    pub async fn resolve(&self, id: DispatchId, how: &Resolving<'_>) -> Result<Resolved> {
        let missing = || Error::NotFound(format!("the dispatch `{id}`"));
        if !id.is_of(self.instance_tag().await?) {
            return Err(missing());
        }
        let (enrollment, step) = (id.enrollment(), id.step());
        let bucket = BTreeSet::from([enrollment.bucket()]);
        let mut tx = self.write_alone(bucket).await?;
        let key = BTreeSet::from([(enrollment.0, step.0)]);
        let standing = hearing::read(&mut tx, &key).await?.into_values().next();
        let standing = standing.ok_or_else(missing)?;
        if standing.state != DispatchState::Uncertain {
            return Ok(Resolved {
                state: standing.state,
                changed: false,
            });
        }
        let fate = if how.taken {
            Fate::Accepted
        } else {
            Fate::Failed
        };
        let told = Told {
            enrollment,
            step,
            fate,
            at: None,
            detail: how.note.unwrap_or_default().to_owned(),
        };
        let hearing = Hearing {
            channel: None,
            addresses: Addresses::Known(HashMap::new()),
            by: Some(&how.by.actor),
            believes_policy: false,
            marks: how.marks,
            now: how.now,
        };
        fates::apply(&mut tx, &[told], &hearing).await?;
        let detail = json!({ "dispatch": id.to_string(), "taken": how.taken, "note": how.note });
        let detail = detail.to_string();
        audit::add(
            &mut tx,
            how.by,
            "uncertain resolved",
            Some(&detail),
            how.now,
        )
        .await?;
        tx.commit().await?;
        Ok(Resolved {
            state: standing.heard.with(fate).standing(standing.state),
            changed: true,
        })
    }
}
