//! Owns how customers enter flows: who may, from when the first delay counts, and entering again.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::catalog::{Catalog, FlowPlan};
use super::runtime::Engine;
use crate::domain::calendar;
use crate::domain::enrollment;
use crate::domain::flow::{ExistingMembers, Flow, FlowStatus, Reentry, Step};
use crate::domain::ids::{BUCKETS, CustomerId, NameNo};
use crate::store::{Due, Entering, EntryAnchor, EntryRule, FlowState, Result, TimedBy};

/// The entrances of all flows at one moment.
#[derive(Clone, Copy)]
pub(super) struct Entrances<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) states: &'a BTreeMap<NameNo, FlowState>,
    pub(super) now: Timestamp,
}

/// The first step's due time for an anchor and a customer's zone.
pub(super) type DueOf<'a> = dyn Fn(Timestamp, Option<&str>) -> Timestamp + Send + Sync + 'a;

impl Entrances<'_> {
    /// Whether what its customers come to is watched: they may enter, or walk on to the end.
    pub(super) fn is_activated(&self, plan: &FlowPlan) -> bool {
        let is_active = matches!(plan.flow.status, FlowStatus::Active | FlowStatus::Paused)
            && self
                .states
                .get(&plan.number)
                .is_some_and(|state| state.activated_at.is_some());
        is_active || plan.flow.is_draining()
    }

    /// The buckets below this one have had their members enrolled.
    pub(super) fn caught_up_to(&self, plan: &FlowPlan) -> u16 {
        if plan.flow.is_draining() {
            return BUCKETS;
        }
        let Some(state) = self.states.get(&plan.number) else {
            return 0;
        };
        let has_begun = state.scheduled_at >= state.activated_at;
        if plan.flow.entry.schedule.is_some() && !has_begun {
            return BUCKETS;
        }
        state.caught_up_to
    }

    /// The entrances of a flow at the instant at which its members enter, if it has a schedule.
    pub(super) fn at_instant_of(&self, plan: &FlowPlan) -> Self {
        let state = self.states.get(&plan.number);
        let scheduled = plan.flow.entry.schedule.as_ref();
        let instant = scheduled.and_then(|_| state?.scheduled_at);
        Self {
            now: instant.unwrap_or(self.now),
            ..*self
        }
    }

    /// From when the first delay counts of those who are members already.
    pub(super) fn anchor(&self, plan: &FlowPlan, activated_at: Timestamp) -> EntryAnchor {
        let entry = &plan.flow.entry;
        match entry.existing_members {
            _ if entry.schedule.is_some() => EntryAnchor::At(self.now),
            ExistingMembers::FromJoining => EntryAnchor::Joining,
            ExistingMembers::FromActivation | ExistingMembers::Skip => {
                EntryAnchor::At(activated_at)
            }
        }
    }

    pub(super) fn due<'a>(&'a self, plan: &'a FlowPlan) -> Box<DueOf<'a>> {
        Box::new(move |anchor, zone| {
            let zone = self.catalog.zone_named(zone);
            let reckoning = self.catalog.reckoning(&zone);
            enrollment::first(&plan.flow, anchor, reckoning)
                .map_or(anchor, |next| next.timing.planned)
        })
    }

    /// How a flow's members enter now; none: nobody may.
    pub(super) fn entering<'a>(
        &'a self,
        plan: &'a FlowPlan,
        anchor: EntryAnchor,
        due: &'a DueOf<'a>,
    ) -> Option<Entering<'a>> {
        let is_open = plan.flow.status != FlowStatus::Stopped;
        let state = self.states.get(&plan.number).filter(|_| is_open)?;
        let (first_step, first_lane) = plan.entrance()?;
        let skips = plan.flow.entry.existing_members == ExistingMembers::Skip;
        Some(Entering {
            flow: plan.number,
            segment: plan.segment,
            first_step,
            first_lane,
            rule: rule(&plan.flow, self.now, &self.catalog.zone),
            anchor,
            joined_after: state.activated_at.filter(|_| skips),
            pending: state.pause.is_some() || plan.flow.entry.limit.is_some(),
            revision: self.catalog.number(),
            zone_field: &self.catalog.revision().policy.zone_field,
            due,
            timed_by: plan.flow.steps.first().map_or(TimedBy::Nothing, timed_by),
            marks: self.catalog.marks_flows,
            now: self.now,
        })
    }
}

/// Who of those who were in the flow before may enter it now.
pub(super) fn rule(flow: &Flow, now: Timestamp, zone: &TimeZone) -> EntryRule {
    match flow.entry.reentry {
        Reentry::Once => EntryRule::Once,
        Reentry::EveryRequalification => EntryRule::Requalification,
        Reentry::Every(span) => {
            // Exactly that long ago is long enough.
            let bound =
                calendar::before(now, span, zone).saturating_add(SignedDuration::from_micros(1));
            EntryRule::LastEntryBefore(bound.unwrap_or(Timestamp::MAX))
        }
    }
}

fn timed_by(step: &Step) -> TimedBy {
    if step.when.field().is_some() || step.when.wait_for().is_some() {
        TimedBy::Customer
    } else if step.at.is_some() || step.when.is_by_zone() {
        TimedBy::Zone
    } else {
        TimedBy::Nothing
    }
}

/// Lets those in again whose time for another entry has come, if they still qualify; the others are
/// looked at when it comes, or never.
pub(super) async fn reenter(
    engine: &Engine,
    catalog: &Catalog,
    states: &BTreeMap<NameNo, FlowState>,
    dues: &[Due],
    now: Timestamp,
) -> Result<()> {
    let entry = Entrances {
        catalog,
        states,
        now,
    };
    let mut flows: Vec<NameNo> = dues.iter().map(|due| due.flow).collect();
    flows.sort_unstable();
    flows.dedup();
    for flow in flows {
        let plan = catalog
            .flows
            .get(&flow)
            .filter(|plan| entry.is_activated(plan));
        let of_flow = dues.iter().filter(|due| due.flow == flow);
        let (early, over): (Vec<&Due>, Vec<&Due>) =
            of_flow.partition(|due| entry.next_entry(plan, due).is_some_and(|at| at > now));
        let later: Vec<_> = early
            .iter()
            .filter_map(|due| Some((due.enrollment, entry.next_entry(plan, due)?)))
            .collect();
        engine.store.look_again(&later).await?;
        let enrolled = entry.enter_again(engine, plan, &over).await?;
        engine.metrics.enrolled.inc_by(enrolled);
    }
    Ok(())
}

impl Entrances<'_> {
    /// When the customer of an ended run may enter once more.
    fn next_entry(&self, plan: Option<&FlowPlan>, due: &Due) -> Option<Timestamp> {
        let entry = &plan?.flow.entry;
        if entry.schedule.is_some() {
            return None;
        }
        match entry.reentry {
            Reentry::Every(span) => Some(calendar::after(due.started_at, span, &self.catalog.zone)),
            Reentry::Once | Reentry::EveryRequalification => None,
        }
    }

    async fn enter_again(
        &self,
        engine: &Engine,
        plan: Option<&FlowPlan>,
        over: &[&Due],
    ) -> Result<u64> {
        let customers: Vec<CustomerId> = over.iter().map(|due| due.customer).collect();
        let ended: Vec<_> = over.iter().map(|due| due.enrollment).collect();
        let plan = plan.filter(|plan| {
            let entry = &plan.flow.entry;
            entry.schedule.is_none() && matches!(entry.reentry, Reentry::Every(_))
        });
        let due = plan.map(|plan| self.due(plan));
        let entering = plan.zip(due.as_ref()).and_then(|(plan, due)| {
            let entering = self.entering(plan, EntryAnchor::At(self.now), due)?;
            Some(Entering {
                rule: EntryRule::LastEntryBefore(self.now),
                ..entering
            })
        });
        let store = &engine.store;
        store.reenter(entering.as_ref(), &customers, &ended).await
    }
}
