//! Owns what those who are in a flow are watched for: the end of their run, and a step that comes sooner or later.

use jiff::Timestamp;

use super::catalog::{Catalog, StepPlan};
use crate::domain::touched::Touched;
use crate::store::{ExitWhen, Look};

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
