//! Owns the state of flows beside their definition: activation, pauses, how far their members are enrolled.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::{NameNo, RevisionNo};

use super::db::Store;
use super::error::Result;
use super::instants::{instant, micros, optional_instant};
use super::sql::{Query, Row, query};

/// What a flow's pause is, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub at: Timestamp,
    pub by: String,
    pub reason: Option<String>,
}

/// A flow's state; a flow without a row has never been active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowState {
    pub activated_at: Option<Timestamp>,
    /// Buckets below this one have had their members enrolled.
    pub caught_up_to: u16,
    pub timing_revision: RevisionNo,
    pub pause: Option<Pause>,
    /// Whether the pause has taken its rows out of the due index.
    pub parked: bool,
    pub resumed_at: Option<Timestamp>,
    pub promoted_at: Option<Timestamp>,
    pub skip_before: Option<Timestamp>,
    /// Since when its goal is what it is.
    pub goal_set_at: Option<Timestamp>,
    /// The last instant of its schedule at which members entered, or are entering.
    pub scheduled_at: Option<Timestamp>,
}

const STATES: &str = "SELECT flow, activated_at, caught_up_to, timing_revision, paused_at, paused_by, \
     pause_reason, parked, resumed_at, promoted_at, skip_before, goal_set_at, scheduled_at FROM flow_states";
const ACTIVATE: &str = "INSERT INTO flow_states (flow, activated_at) VALUES ($1, $2) \
     ON CONFLICT (flow) DO UPDATE SET activated_at = excluded.activated_at, caught_up_to = 0 \
     WHERE flow_states.activated_at IS NULL";
const DEACTIVATE: &str =
    "UPDATE flow_states SET activated_at = NULL, caught_up_to = 0 WHERE flow = $1";
const PAUSE: &str = "INSERT INTO flow_states (flow, paused_at, paused_by, pause_reason) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (flow) DO UPDATE SET paused_at = excluded.paused_at, \
     paused_by = excluded.paused_by, pause_reason = excluded.pause_reason \
     WHERE flow_states.paused_at IS NULL";
const RESUME: &str =
    "UPDATE flow_states SET resumed_at = $2 WHERE flow = $1 AND paused_at IS NOT NULL";
const PARKED: &str = "UPDATE flow_states SET parked = 1 WHERE flow = $1 AND paused_at IS NOT NULL";
const RETURNING: &str = "UPDATE flow_states SET parked = 0 WHERE flow = $1";
const UNPAUSED: &str = "UPDATE flow_states SET paused_at = NULL, paused_by = NULL, \
     pause_reason = NULL, parked = 0, resumed_at = NULL, skip_before = coalesce($2, skip_before) \
     WHERE flow = $1";
const SCHEDULED: &str = "UPDATE flow_states SET scheduled_at = $2, caught_up_to = $3 \
     WHERE flow = $1 AND activated_at IS NOT NULL";
const UNSCHEDULED: &str = "UPDATE flow_states SET scheduled_at = NULL, caught_up_to = 0, \
     activated_at = $2 WHERE flow = $1 AND activated_at IS NOT NULL";
const PROMOTED: &str = "UPDATE flow_states SET promoted_at = $2 WHERE flow = $1";

pub(super) const STATEMENTS: &[&str] = &[
    STATES,
    ACTIVATE,
    DEACTIVATE,
    PAUSE,
    RESUME,
    PARKED,
    RETURNING,
    UNPAUSED,
    SCHEDULED,
    UNSCHEDULED,
    PROMOTED,
];

impl Store {
    pub async fn flow_states(&self) -> Result<BTreeMap<NameNo, FlowState>> {
        let rows = query(STATES).fetch_all(self.read()).await?;
        rows.iter()
            .map(|row| Ok((NameNo(row.try_get(0)?), flow_state(row)?)))
            .collect()
    }

    /// Marks a flow active from `at` on, unless it already is. Whether it became so.
    pub async fn activate_flow(&self, flow: NameNo, at: Timestamp) -> Result<bool> {
        self.change_flow(query(ACTIVATE).bind(flow.0).bind(micros(at)))
            .await
    }

    /// A flow that is a draft again or stopped: those who qualify later are new to it.
    pub async fn deactivate_flow(&self, flow: NameNo) -> Result<bool> {
        self.change_flow(query(DEACTIVATE).bind(flow.0)).await
    }

    /// Pauses a flow; an earlier pause stays as it is. Whether it was running.
    pub async fn pause_flow(&self, flow: NameNo, pause: &Pause) -> Result<bool> {
        let query = query(PAUSE)
            .bind(flow.0)
            .bind(micros(pause.at))
            .bind(&pause.by)
            .bind(&pause.reason);
        self.change_flow(query).await
    }

    /// Asks for a paused flow to go on; the daemon puts its rows back and ends the pause.
    pub async fn resume_flow(&self, flow: NameNo, at: Timestamp) -> Result<bool> {
        self.change_flow(query(RESUME).bind(flow.0).bind(micros(at)))
            .await
    }

    pub async fn set_parked(&self, flow: NameNo) -> Result<bool> {
        self.change_flow(query(PARKED).bind(flow.0)).await
    }

    /// From here on parked rows only return to the due index.
    pub async fn set_returning(&self, flow: NameNo) -> Result<bool> {
        self.change_flow(query(RETURNING).bind(flow.0)).await
    }

    /// Ends a pause whose rows are all back in the due index.
    pub async fn end_pause(&self, flow: NameNo, skip_before: Option<Timestamp>) -> Result<bool> {
        let query = query(UNPAUSED).bind(flow.0).bind(skip_before.map(micros));
        self.change_flow(query).await
    }

    pub async fn set_promoted(&self, flow: NameNo, at: Timestamp) -> Result<bool> {
        self.change_flow(query(PROMOTED).bind(flow.0).bind(micros(at)))
            .await
    }

    /// Members enter at this instant of the flow's schedule, from the first bucket on; with all buckets
    /// behind it, they have.
    pub async fn schedule_flow(
        &self,
        flow: NameNo,
        at: Timestamp,
        caught_up_to: u16,
    ) -> Result<bool> {
        let query = query(SCHEDULED)
            .bind(flow.0)
            .bind(micros(at))
            .bind(i32::from(caught_up_to));
        self.change_flow(query).await
    }

    /// A flow that has no schedule any more: its members enter as if it became active.
    pub async fn unschedule_flow(&self, flow: NameNo, at: Timestamp) -> Result<bool> {
        let query = query(UNSCHEDULED).bind(flow.0).bind(micros(at));
        self.change_flow(query).await
    }

    async fn change_flow(&self, query: Query<'_>) -> Result<bool> {
        let mut tx = self.begin().await?;
        let changed = query.execute(&mut tx).await? > 0;
        tx.commit().await?;
        Ok(changed)
    }
}

fn flow_state(row: &Row) -> Result<FlowState> {
    let paused_at: Option<i64> = row.try_get(4)?;
    let pause = paused_at
        .map(|at| {
            let by: Option<String> = row.try_get(5)?;
            Ok::<_, super::error::Error>(Pause {
                at: instant(at)?,
                by: by.unwrap_or_default(),
                reason: row.try_get(6)?,
            })
        })
        .transpose()?;
    Ok(FlowState {
        activated_at: optional_instant(row.try_get(1)?)?,
        caught_up_to: row.try_get(2)?,
        timing_revision: RevisionNo(row.try_get(3)?),
        pause,
        parked: row.try_get::<i64>(7)? == 1,
        resumed_at: optional_instant(row.try_get(8)?)?,
        promoted_at: optional_instant(row.try_get(9)?)?,
        skip_before: optional_instant(row.try_get(10)?)?,
        goal_set_at: optional_instant(row.try_get(11)?)?,
        scheduled_at: optional_instant(row.try_get(12)?)?,
    })
}
