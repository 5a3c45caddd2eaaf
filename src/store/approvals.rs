//! Owns holding a revision back until somebody agrees, and agreeing.

use jiff::Timestamp;

use super::audit;
use super::awaiting::{self, KEY};
use super::db::Store;
use super::error::Result;
use super::meta;
use super::requests::RELOAD;
use super::revisions::{NewRevision, latest_in};
use super::sql::query;
use crate::domain::approval::{Approved, Awaiting, Reach};
use crate::domain::audit::By;
use crate::domain::ids::RevisionNo;

impl Store {
    /// The revision that is not in force until somebody agrees.
    pub async fn awaiting(&self) -> Result<Option<Awaiting>> {
        self.get_meta(KEY).await
    }

    /// Keeps a revision from being in force until somebody agrees. The same one stays what it was, with
    /// what it would do as it is known now; another one takes its place, and must be agreed to anew.
    pub async fn hold(&self, new: &NewRevision<'_>, reach: Reach) -> Result<Awaiting> {
        let mut tx = self.write().await?;
        let known = awaiting::known(&mut tx).await?;
        let definitions = new.revision.definitions;
        let held = match known {
            Some(same) if same.is_of(new.hash, definitions) => Awaiting { reach, ..same },
            other => {
                let latest = latest_in(&mut tx).await?;
                Awaiting {
                    revision: awaiting::next(latest, other.as_ref()),
                    hash: new.hash.to_owned(),
                    definitions,
                    commit: new.commit.map(str::to_owned),
                    since: new.at,
                    reach,
                    approved: None,
                }
            }
        };
        awaiting::write(&mut tx, &held).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Agrees to a revision, and asks the daemon to read its files again. None: another one awaits
    /// approval, or none does.
    pub async fn approve(
        &self,
        revision: RevisionNo,
        by: &By,
        at: Timestamp,
        asked_at: Timestamp,
    ) -> Result<Option<Awaiting>> {
        let mut tx = self.write().await?;
        let known = awaiting::known(&mut tx).await?;
        let Some(mut held) = known.filter(|one| one.revision == revision) else {
            return Ok(None);
        };
        if held.approved.is_none() {
            let by_whom = by.actor.clone();
            held.approved = Some(Approved { by: by_whom, at });
            awaiting::write(&mut tx, &held).await?;
            let customers = held.reach.customers();
            let detail = format!("revision {}, {customers} customers newly", revision.0);
            audit::add(&mut tx, by, "revision approved", Some(&detail), at).await?;
        }
        let asked = meta::written(RELOAD, &asked_at)?;
        let set = query(meta::SET).bind(RELOAD).bind(asked);
        set.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(held))
    }
}
