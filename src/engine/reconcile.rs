//! Owns the full reconciliation: every segment asked again of everybody, and any difference is a defect.

use std::collections::HashSet;

use super::catalog::FlowPlan;
use super::runtime::Engine;
use crate::domain::ids::BUCKETS;
use crate::store::Result;

/// Compares the members of the segments that are kept up with what their conditions say now.
///
/// Each difference is counted and logged; the customers concerned are marked, so that the next pass
/// corrects them.
pub async fn reconcile(engine: &Engine) -> Result<u64> {
    let catalog = engine.catalog();
    let frame = catalog.frame(engine.clock.now());
    let states = engine.store.segment_states().await?;
    let kept_up = |plan: &FlowPlan| {
        let state = states.get(&plan.segment);
        state.is_some_and(|state| {
            state.examined_to == BUCKETS && state.definition == plan.watched.definition
        })
    };
    let mut differences = 0;
    let mut seen = HashSet::new();
    for plan in catalog
        .flows
        .values()
        .filter(|plan| kept_up(plan) && seen.insert(plan.segment))
    {
        let Some(segment) = catalog.revision().segments.get(&plan.flow.segment) else {
            continue;
        };
        let found = engine
            .store
            .mark_differences(plan.segment, &segment.condition, &frame)
            .await?;
        if found > 0 {
            let segment = plan.flow.segment.as_str();
            tracing::error!(segment, found, "memberships differ from their segment");
        }
        differences += found;
    }
    engine
        .metrics
        .reconciliation_differences
        .inc_by(differences);
    Ok(differences)
}
