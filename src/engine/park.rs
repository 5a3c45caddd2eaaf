//! Owns the standing of flows: activation, pauses, stops, limits, and the re-timing of those who wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::beat::Beat;
use super::catalog::{Catalog, FlowPlan};
use super::entry::Entrances;
use super::runtime::Engine;
use crate::domain::enrollment;
use crate::domain::flow::{EntryLimit, FlowStatus, OnEdit, OnResume};
use crate::domain::ids::{NameNo, RevisionNo};
use crate::store::{EntryAnchor, FlowState, Pause, Result, Return, Stopped, Timed, Untimed};

/// Rows moved in one transaction.
const BATCH: u32 = 2_000;
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Who pauses flows by themselves.
const DRUMBEAT: &str = "drumbeat";

/// Brings flows to the standing that files and people ask for, one pass at a time.
pub struct Parker {
    engine: Arc<Engine>,
    /// The timing revision under which nobody of a flow was left to be timed anew: asking again
    /// would read all of its enrollments. Who enters later is timed under a newer revision.
    timed: Mutex<BTreeMap<NameNo, RevisionNo>>,
}

impl Parker {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            timed: Mutex::default(),
        }
    }

    /// One batch of whatever is to be done for each flow.
    pub async fn run_once(&self) -> Result<Beat> {
        if !self.engine.duty.leads() {
            return Ok(Beat::Within(LONGEST_WAIT));
        }
        let catalog = self.engine.catalog();
        let mut more = false;
        let states = self.engine.store.flow_states().await?;
        for (flow, state) in &states {
            if !catalog.flows.contains_key(flow) && state.activated_at.is_some() {
                more |= self.pause_missing(*flow, state).await?;
            }
        }
        for plan in catalog.flows.values() {
            more |= self.stand(&catalog, plan, states.get(&plan.number)).await?;
        }
        Ok(if more {
            Beat::Now
        } else {
            Beat::Within(LONGEST_WAIT)
        })
    }

    /// Whether there is more to do for the flow.
    async fn stand(
        &self,
        catalog: &Catalog,
        plan: &FlowPlan,
        state: Option<&FlowState>,
    ) -> Result<bool> {
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        match plan.flow.status {
            FlowStatus::Active => self.run(catalog, plan, state).await,
            FlowStatus::Paused => {
                store.activate_flow(plan.number, now).await?;
                self.pause_by_file(plan.number, state, "its file says `status: paused`")
                    .await
            }
            FlowStatus::Draft => {
                store.deactivate_flow(plan.number).await?;
                self.pause_by_file(plan.number, state, "its file says `status: draft`")
                    .await
            }
            FlowStatus::Stopped => {
                store.deactivate_flow(plan.number).await?;
                let marks = self.engine.catalog().marks_flows;
                let whom = if plan.flow.is_draining() {
                    Stopped::WhoHasNotEntered
                } else {
                    Stopped::Everybody
                };
                let ended = store.stop_enrollments((plan.number, whom), BATCH, now, marks);
                let more = ended.await? == u64::from(BATCH);
                let state = state.filter(|_| plan.flow.is_draining());
                match state {
                    Some(state) => Ok(self.walk_on(catalog, plan, state).await?.unwrap_or(more)),
                    None => Ok(more),
                }
            }
        }
    }

    async fn run(
        &self,
        catalog: &Catalog,
        plan: &FlowPlan,
        state: Option<&FlowState>,
    ) -> Result<bool> {
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let Some(state) = state.filter(|state| state.activated_at.is_some()) else {
            return store.activate_flow(plan.number, now).await;
        };
        if let Some(more) = self.walk_on(catalog, plan, state).await? {
            return Ok(more);
        }
        self.promote(catalog, plan, state).await
    }

    /// Sees to those who are in the flow: whether there is more to do before anybody may enter.
    async fn walk_on(
        &self,
        catalog: &Catalog,
        plan: &FlowPlan,
        state: &FlowState,
    ) -> Result<Option<bool>> {
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        if let Some(pause) = &state.pause {
            if pause.by == DRUMBEAT && state.resumed_at.is_none() {
                return store.resume_flow(plan.number, now).await.map(Some);
            }
            let more = match state.resumed_at {
                Some(_) if state.parked => self.gather_latecomers(plan.number).await,
                Some(resumed_at) => self.resume(plan, pause, resumed_at).await,
                None => self.park(plan.number, state).await,
            };
            return more.map(Some);
        }
        let retimed = self.retime(catalog, plan, state).await?;
        Ok(retimed.then_some(true))
    }

    async fn pause_missing(&self, flow: NameNo, state: &FlowState) -> Result<bool> {
        self.pause_by_file(flow, Some(state), "its file is missing")
            .await
    }

    async fn pause_by_file(
        &self,
        flow: NameNo,
        state: Option<&FlowState>,
        reason: &str,
    ) -> Result<bool> {
        match state {
            Some(state) if state.pause.is_some() => self.park(flow, state).await,
            _ => {
                let pause = Pause {
                    at: self.engine.clock.now(),
                    by: DRUMBEAT.to_owned(),
                    reason: Some(reason.to_owned()),
                };
                self.engine.store.pause_flow(flow, &pause).await
            }
        }
    }

    async fn park(&self, flow: NameNo, state: &FlowState) -> Result<bool> {
        if state.parked {
            return Ok(false);
        }
        if self.engine.store.park(flow, BATCH).await? == 0 {
            self.engine.store.set_parked(flow).await?;
        }
        Ok(true)
    }

    /// Who was between two steps when the pause began fell due during it, and returns with the others.
    async fn gather_latecomers(&self, flow: NameNo) -> Result<bool> {
        if self.engine.store.park_latecomers(flow, BATCH).await? == 0 {
            self.engine.store.set_returning(flow).await?;
        }
        Ok(true)
    }

    async fn resume(&self, plan: &FlowPlan, pause: &Pause, resumed_at: Timestamp) -> Result<bool> {
        let store = &self.engine.store;
        let how = match plan.flow.on_resume {
            OnResume::Shift => Return::ShiftedBy(resumed_at.duration_since(pause.at)),
            OnResume::CatchUp | OnResume::SkipLate => Return::AsTheyWere,
        };
        // In one pass with the last of them: the gate would put off what it finds between.
        if store.unpark(plan.number, how, BATCH).await? < u64::from(BATCH) {
            let skips = plan.flow.on_resume == OnResume::SkipLate;
            store
                .end_pause(plan.number, skips.then_some(resumed_at))
                .await?;
            tracing::info!(flow = plan.flow.id, "resumed");
        }
        Ok(true)
    }

    /// Times those who wait anew after an edit, or lets them keep their time.
    async fn retime(&self, catalog: &Catalog, plan: &FlowPlan, state: &FlowState) -> Result<bool> {
        let (store, revision) = (&self.engine.store, state.timing_revision);
        if self.timed().get(&plan.number) == Some(&revision) {
            return Ok(false);
        }
        if plan.flow.on_edit == OnEdit::Freeze {
            if store.keep_timing(plan.number, revision, BATCH).await? > 0 {
                return Ok(true);
            }
            self.timed().insert(plan.number, revision);
            return Ok(false);
        }
        let zone_field = &catalog.revision().policy.zone_field;
        let untimed = store
            .untimed(plan.number, revision, zone_field, BATCH)
            .await?;
        let timed: Vec<Timed> = untimed
            .iter()
            .filter_map(|row| time(catalog, plan, row))
            .collect();
        if timed.is_empty() {
            self.timed().insert(plan.number, revision);
            return Ok(false);
        }
        store.time(&timed, catalog.number()).await?;
        Ok(true)
    }

    fn timed(&self) -> MutexGuard<'_, BTreeMap<NameNo, RevisionNo>> {
        self.timed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets in those who wait, as many as the limit allows by now.
    async fn promote(&self, catalog: &Catalog, plan: &FlowPlan, state: &FlowState) -> Result<bool> {
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let (allowed, counted_to) = match plan.flow.entry.limit {
            None => (BATCH, now),
            Some(limit) => allowed(limit, state, now),
        };
        if allowed == 0 || store.pending(plan.number).await? == 0 {
            return Ok(false);
        }
        let states = store.flow_states().await?;
        let entry = Entrances {
            catalog,
            states: &states,
            now,
        };
        let due = entry.due(plan);
        let Some(entering) = entry.entering(plan, EntryAnchor::At(now), &*due) else {
            return Ok(false);
        };
        let promoted = store.promote(&entering, allowed).await?;
        store.set_promoted(plan.number, counted_to).await?;
        self.engine.metrics.enrolled.inc_by(promoted);
        Ok(promoted == u64::from(BATCH))
    }
}

/// How many a limit lets in now, and the instant up to which that is counted: spread evenly, and
/// never more than one span's worth after a rest.
fn allowed(limit: EntryLimit, state: &FlowState, now: Timestamp) -> (u32, Timestamp) {
    let span = SignedDuration::from_secs(i64::from(limit.per_seconds.max(1)));
    let since = state.promoted_at.or(state.activated_at).unwrap_or(now);
    let since = since.max(now - span);
    let each = span / i32::try_from(limit.customers.max(1)).unwrap_or(i32::MAX);
    let elapsed = now.duration_since(since).as_nanos();
    let count = u32::try_from(elapsed / each.as_nanos().max(1)).unwrap_or(u32::MAX);
    let count = count.min(limit.customers).min(BATCH);
    let counted = each * i32::try_from(count).unwrap_or(i32::MAX);
    (count, since.checked_add(counted).unwrap_or(now).min(now))
}

fn time(catalog: &Catalog, plan: &FlowPlan, row: &Untimed) -> Option<Timed> {
    let step = plan.step(row.step)?;
    let zone = catalog.zone_named(row.zone.as_deref());
    let reckoning = catalog.reckoning(&zone);
    let timing = enrollment::retime(&step.step, row.anchor, reckoning);
    Some(Timed {
        enrollment: row.enrollment,
        step: row.step,
        lane: step.step.lane(),
        planned: timing.planned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_lets_customers_in_evenly() {
        let limit = EntryLimit {
            customers: 2_000,
            per_seconds: 86_400,
        };
        let start = Timestamp::UNIX_EPOCH;
        let mut state = FlowState {
            activated_at: Some(start),
            caught_up_to: 0,
            timing_revision: RevisionNo(1),
            pause: None,
            parked: false,
            resumed_at: None,
            promoted_at: None,
            skip_before: None,
            goal_set_at: None,
            scheduled_at: None,
        };
        let (mut entered, mut now) = (0, start);
        for _ in 0..24 * 60 {
            now += SignedDuration::from_mins(1);
            let (count, counted_to) = allowed(limit, &state, now);
            assert!(count <= 2, "{count} in a minute");
            state.promoted_at = Some(counted_to);
            entered += count;
        }
        assert_eq!(entered, 2_000);
    }

    #[test]
    fn a_rest_saves_up_no_more_than_one_span() {
        let limit = EntryLimit {
            customers: 10,
            per_seconds: 60,
        };
        let start = Timestamp::UNIX_EPOCH;
        let state = FlowState {
            activated_at: Some(start),
            caught_up_to: 0,
            timing_revision: RevisionNo(1),
            pause: None,
            parked: false,
            resumed_at: None,
            promoted_at: Some(start),
            skip_before: None,
            goal_set_at: None,
            scheduled_at: None,
        };
        let (count, _) = allowed(limit, &state, start + SignedDuration::from_hours(24));
        assert_eq!(count, 10);
    }
}
