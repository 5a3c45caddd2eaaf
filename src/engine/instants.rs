//! Owns the instants at which members of flows with a schedule enter.

use jiff::Timestamp;

use super::catalog::{Catalog, FlowPlan};
use super::entry::Entrances;
use crate::domain::ids::BUCKETS;
use crate::store::{Result, Store};

/// Begins the instants that have come. Whether there was anything to do.
pub(super) async fn begin(store: &Store, entrances: &Entrances<'_>) -> Result<bool> {
    let mut any = false;
    for plan in entrances.catalog.flows.values() {
        match to_do(entrances, plan) {
            ToDo::Nothing => continue,
            ToDo::Begin(at) => store.schedule_flow(plan.number, at, 0).await?,
            ToDo::Await(from) => store.schedule_flow(plan.number, from, BUCKETS).await?,
            ToDo::LetIn => store.unschedule_flow(plan.number, entrances.now).await?,
        };
        any = true;
    }
    Ok(any)
}

/// The next instant of any flow.
pub(super) fn next(catalog: &Catalog, now: Timestamp) -> Option<Timestamp> {
    let schedules = catalog.flows.values();
    let schedules = schedules.filter_map(|plan| plan.flow.entry.schedule.as_ref());
    let next = schedules.filter_map(|schedule| schedule.after(now, &catalog.zone));
    next.min()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ToDo {
    Nothing,
    /// Members enter at this instant.
    Begin(Timestamp),
    /// The flow has its schedule from now on.
    Await(Timestamp),
    /// It has none any more: its members enter as those of a flow that becomes active.
    LetIn,
}

/// Of instants that were missed only the last counts.
fn to_do(entrances: &Entrances<'_>, plan: &FlowPlan) -> ToDo {
    let state = entrances.states.get(&plan.number);
    let active = state.and_then(|state| Some((state, state.activated_at?)));
    let Some((state, activated_at)) = active.filter(|_| entrances.is_activated(plan)) else {
        return ToDo::Nothing;
    };
    let before = state.scheduled_at.filter(|at| *at >= activated_at);
    match (&plan.flow.entry.schedule, before) {
        (None, None) => ToDo::Nothing,
        (None, Some(_)) => ToDo::LetIn,
        (Some(_), None) => ToDo::Await(entrances.now),
        (Some(schedule), Some(before)) => {
            let last = schedule.last(entrances.now, &entrances.catalog.zone);
            let last = last.filter(|last| *last > before);
            last.map_or(ToDo::Nothing, ToDo::Begin)
        }
    }
}
