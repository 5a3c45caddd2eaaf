//! Owns how customers enter flows: who may, from when the first delay counts, and entering again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalog::{Catalog, FlowPlan};
use super::runtime::Engine;
use crate::domain::calendar;
use crate::domain::enrollment;
use crate::domain::flow::{ExistingMembers, FlowStatus, Reentry};
use crate::domain::ids::{BUCKETS, CustomerId, NameNo};
use crate::store::{Due, Entering, EntryAnchor, EntryRule, FlowState, Result};

/// The entrances of all flows at one moment.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) states: &'a BTreeMap<NameNo, FlowState>,
    pub(super) now: Timestamp,
}

/// The first step's due time for an anchor and a customer's zone.
pub(super) type DueOf<'a> = dyn Fn(Timestamp, Option<&str>) -> Timestamp + Send + Sync + 'a;

impl Entry<'_> {
    pub(super) fn is_activated(&self, plan: &FlowPlan) -> bool {
        matches!(plan.flow.status, FlowStatus::Active | FlowStatus::Paused)
            && self
                .states
                .get(&plan.number)
                .is_some_and(|state| state.activated_at.is_some())
    }

    pub(super) fn is_caught_up(&self, plan: &FlowPlan) -> bool {
        self.states
            .get(&plan.number)
            .is_some_and(|state| state.caught_up_to >= BUCKETS)
    }

    pub(super) fn due<'a>(&'a self, plan: &'a FlowPlan) -> Box<DueOf<'a>> {
        Box::new(move |anchor, zone| {
            let zone = self.catalog.zone_named(zone);
            enrollment::first(&plan.flow, anchor, &zone).map_or(anchor, |next| next.timing.planned)
        })
    }

    /// How a flow's members enter now; none: nobody may.
    pub(super) fn entering<'a>(
        &'a self,
        plan: &'a FlowPlan,
        anchor: EntryAnchor,
        due: &'a DueOf<'a>,
    ) -> Option<Entering<'a>> {
        let state = self.states.get(&plan.number)?;
        let (first_step, first_lane) = plan.entrance()?;
        let skips = plan.flow.entry.existing_members == ExistingMembers::Skip;
        Some(Entering {
            flow: plan.number,
            segment: plan.segment,
            first_step,
            first_lane,
            rule: self.rule(plan),
            anchor,
            joined_after: state.activated_at.filter(|_| skips),
            pending: state.pause.is_some() || plan.flow.entry.limit.is_some(),
            revision: self.catalog.number(),
            zone_field: &self.catalog.revision().policy.zone_field,
            due,
            now: self.now,
        })
    }

    fn rule(&self, plan: &FlowPlan) -> EntryRule {
        match plan.flow.entry.reentry {
            Reentry::Once => EntryRule::Once,
            Reentry::EveryRequalification => EntryRule::Requalification,
            Reentry::Every(span) => {
                EntryRule::LastEntryBefore(calendar::before(self.now, span, &self.catalog.zone))
            }
        }
    }
}

/// Lets those in again whose time for another entry has come, if they still qualify.
pub(super) async fn reenter(
    engine: &Engine,
    catalog: &Catalog,
    states: &BTreeMap<NameNo, FlowState>,
    dues: &[Due],
    now: Timestamp,
) -> Result<()> {
    let entry = Entry {
        catalog,
        states,
        now,
    };
    let mut flows: Vec<NameNo> = dues.iter().map(|due| due.flow).collect();
    flows.sort_unstable();
    flows.dedup();
    for flow in flows {
        let of_flow: Vec<&Due> = dues.iter().filter(|due| due.flow == flow).collect();
        let customers: Vec<CustomerId> = of_flow.iter().map(|due| due.customer).collect();
        let ended: Vec<_> = of_flow.iter().map(|due| due.enrollment).collect();
        let plan = catalog
            .flows
            .get(&flow)
            .filter(|plan| entry.is_activated(plan));
        let due = plan.map(|plan| entry.due(plan));
        let entering = plan.zip(due.as_ref()).and_then(|(plan, due)| {
            let entering = entry.entering(plan, EntryAnchor::At(now), due)?;
            Some(Entering {
                rule: EntryRule::LastEntryBefore(now),
                ..entering
            })
        });
        let enrolled = engine
            .store
            .reenter(entering.as_ref(), &customers, &ended)
            .await?;
        engine.metrics.enrolled.inc_by(enrolled);
    }
    Ok(())
}
