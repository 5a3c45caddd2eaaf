//! Owns what those who are in a flow are watched for: the goal, the end of their run, and a step that comes
//! sooner or later.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalog::{Catalog, StepPlan};
use crate::domain::ids::NameNo;
use crate::domain::touched::Touched;
use crate::store::{Aim, ExitWhen, FlowState, Look};

/// The exit conditions of all flows.
pub(super) fn exits(catalog: &Catalog, now: Timestamp) -> Vec<ExitWhen<'_>> {
    let exits = catalog.flows.values().filter_map(|plan| {
        let condition = plan.flow.exit.when.as_ref()?;
        Some(ExitWhen {
            flow: plan.number,
            condition,
            asks: plan.watched.exit,
            frame: catalog.frame(now),
            marks: catalog.marks_flows,
        })
    });
    exits.collect()
}

/// The goals of all flows.
pub(super) fn aims<'a>(
    catalog: &'a Catalog,
    states: &BTreeMap<NameNo, FlowState>,
    now: Timestamp,
) -> Vec<Aim<'a>> {
    let aims = catalog.flows.values().filter_map(|plan| {
        let goal = plan.flow.goal.as_ref()?;
        let state = states.get(&plan.number);
        let set_at = state.and_then(|state| state.goal_set_at);
        Some(Aim {
            flow: plan.number,
            condition: &goal.when,
            asks: plan.watched.goal,
            opens: goal.opens(now, &catalog.zone, set_at),
            exits: goal.exit,
            frame: catalog.frame(now),
            marks: catalog.marks_flows,
        })
    });
    aims.collect()
}

/// One for each step that something of its customers may bring nearer or put off.
pub(super) fn looks(catalog: &Catalog) -> Vec<Look> {
    let steps = catalog.flows.values().flat_map(|plan| &plan.steps);
    let watching = steps.filter(|step| step.watches != Touched::NOTHING);
    let look = |step: &StepPlan| Look {
        step: step.number,
        asks: step.watches,
    };
    watching.map(look).collect()
}
