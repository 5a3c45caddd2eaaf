//! Owns where everything stood when a node looked: a pass that rests on it finds out whether it still does.

use super::db::Store;
use super::error::Result;
use super::sql::query;
use super::tx::On;
use crate::domain::ids::RevisionNo;

const STANDING: &str = "SELECT (SELECT coalesce(max(revision), 0) FROM revisions), \
     (SELECT @list(@array(f.flow, f.activated_at, f.caught_up_to, f.paused_at, f.resumed_at)) FROM \
     (SELECT flow, activated_at, caught_up_to, paused_at, resumed_at FROM flow_states \
     ORDER BY flow) AS f), \
     (SELECT @list(@array(s.segment, s.definition, s.examined_to)) FROM \
     (SELECT segment, definition, examined_to FROM segment_states ORDER BY segment) AS s)";

pub(super) const STATEMENTS: &[&str] = &[STANDING];

/// The current revision, how far its flows and segments are, and which flows are paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub revision: RevisionNo,
    flows: String,
    segments: String,
}

impl Store {
    /// Where everything stands now.
    pub async fn standing(&self) -> Result<Standing> {
        standing(self.read()).await
    }
}

pub(super) async fn standing<'c>(on: impl Into<On<'c>>) -> Result<Standing> {
    let row = query(STANDING).fetch_one(on).await?;
    Ok(Standing {
        revision: RevisionNo(row.try_get(0)?),
        flows: row.text(1)?.to_owned(),
        segments: row.text(2)?.to_owned(),
    })
}
