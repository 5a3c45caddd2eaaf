//! Owns enrolling: who comes to qualify is found from what changed, never by asking everybody again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::beat::Beat;
use super::catalog::{Catalog, FlowPlan};
use super::claim::ClaimPass;
use super::runtime::Engine;
use crate::domain::calendar;
use crate::domain::enrollment;
use crate::domain::flow::{ExistingMembers, FlowStatus, Reentry};
use crate::domain::ids::{BUCKETS, CustomerId, NameNo};
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;
use crate::store::{
    Due, Entering, EntryAnchor, EntryRule, Examined, ExitWhen, FlowState, Pass, Qualification,
    Result, SegmentState,
};

/// Buckets examined in one transaction at first; then as many as fit into the time for which others
/// may be kept from writing.
const STRIDE: u16 = 64;
const WRITING: Duration = Duration::from_millis(100);
/// Changed customers examined in one transaction.
const CHANGED: u32 = 2_000;
/// How often the passing of time alone is asked about, in machine time.
const TIME_EVERY: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

type States = BTreeMap<NameNo, FlowState>;

/// Finds who qualifies, one pass at a time.
pub struct Enroller {
    engine: Arc<Engine>,
    stride: AtomicU16,
}

/// One pass's surroundings.
pub(super) struct Enrolling<'a> {
    pub engine: &'a Engine,
    pub catalog: &'a Catalog,
    pub states: &'a States,
    pub now: Timestamp,
    pub stride: u16,
}

impl Enroller {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            stride: AtomicU16::new(STRIDE),
        }
    }

    /// Examines one stride of a new segment, else catches one flow up, else looks at what changed.
    pub async fn run_once(&self) -> Result<(Pass, Beat)> {
        let catalog = self.engine.catalog();
        let states = self.engine.store.flow_states().await?;
        let now = self.engine.clock.now();
        let enrolling = Enrolling {
            engine: &self.engine,
            catalog: &catalog,
            states: &states,
            now,
            stride: self.stride.load(Ordering::Relaxed),
        };
        let begun = Instant::now();
        let (pass, more) = enrolling.run_once().await?;
        if more {
            self.adapt(enrolling.stride, begun.elapsed());
        }
        self.engine.metrics.enrolled.inc_by(pass.enrolled);
        self.engine.metrics.exited.inc_by(pass.exited);
        Ok((
            pass,
            if more {
                Beat::Now
            } else {
                Beat::Within(LONGEST_WAIT)
            },
        ))
    }
}

impl Enroller {
    fn adapt(&self, stride: u16, taken: Duration) {
        let next = if taken < WRITING / 2 {
            stride * 2
        } else if taken > WRITING {
            stride / 2
        } else {
            stride
        };
        let next = next.clamp(1, BUCKETS);
        self.stride.store(next, Ordering::Relaxed);
    }
}

impl Enrolling<'_> {
    async fn run_once(&self) -> Result<(Pass, bool)> {
        let examined = self.engine.store.segment_states().await?;
        for (segment, plans) in self.segments() {
            let Some(condition) = self.condition(plans[0]) else {
                continue;
            };
            let definition = definition(self.catalog.revision(), condition);
            let state = examined.get(&segment);
            let known = state.filter(|state| state.definition == definition);
            if known.is_none_or(|state| state.examined_to < BUCKETS) {
                let pass = self
                    .examine(segment, &plans, condition, &definition, state)
                    .await?;
                return Ok((pass, true));
            }
            if let Some(state) = known {
                self.pass_time(segment, &plans, condition, state).await?;
            }
        }
        if let Some(pass) = self.catch_up().await? {
            return Ok((pass, true));
        }
        let pass = self.look_at_changed().await?;
        Ok((pass, pass.customers == u64::from(CHANGED)))
    }

    /// The segments that running flows use, with those flows; in the order of their numbers.
    fn segments(&self) -> Vec<(NameNo, Vec<&FlowPlan>)> {
        let mut segments: Vec<(NameNo, Vec<&FlowPlan>)> = Vec::new();
        let mut plans: Vec<&FlowPlan> = self
            .catalog
            .flows
            .values()
            .filter(|plan| self.is_activated(plan))
            .collect();
        plans.sort_by_key(|plan| (plan.segment, plan.number));
        for plan in plans {
            match segments.last_mut() {
                Some((segment, same)) if *segment == plan.segment => same.push(plan),
                _ => segments.push((plan.segment, vec![plan])),
            }
        }
        segments
    }

    fn is_activated(&self, plan: &FlowPlan) -> bool {
        matches!(plan.flow.status, FlowStatus::Active | FlowStatus::Paused)
            && self
                .states
                .get(&plan.number)
                .is_some_and(|state| state.activated_at.is_some())
    }

    fn condition(&self, plan: &FlowPlan) -> Option<&Condition> {
        let segments = &self.catalog.revision().segments;
        segments
            .get(&plan.flow.segment)
            .map(|segment| &segment.condition)
    }

    async fn examine(
        &self,
        segment: NameNo,
        plans: &[&FlowPlan],
        condition: &Condition,
        definition: &str,
        state: Option<&SegmentState>,
    ) -> Result<Pass> {
        let going_on = state.filter(|state| state.definition == definition);
        let from = going_on.map_or(0, |state| state.examined_to);
        let watermark = going_on.map_or(self.now, |state| state.watermark);
        let stride = self.buckets(from);
        let next = SegmentState {
            definition: definition.to_owned(),
            examined_to: stride.end,
            watermark,
        };
        // Members found when a segment is first looked at joined it when its flow was activated.
        let first = !plans.iter().any(|plan| self.is_caught_up(plan));
        let joined_at = if first {
            self.activation(plans)
        } else {
            self.now
        };
        let due = |plan| self.due(plan);
        let dues: Vec<_> = plans.iter().map(|plan| due(plan)).collect();
        let qualification = self.qualification(segment, plans, condition, joined_at, &dues);
        self.engine
            .store
            .examine_buckets(&qualification, stride, &next)
            .await
    }

    fn buckets(&self, from: u16) -> Range<u16> {
        from..(from + self.stride).min(BUCKETS)
    }

    fn is_caught_up(&self, plan: &FlowPlan) -> bool {
        self.states
            .get(&plan.number)
            .is_some_and(|state| state.caught_up_to >= BUCKETS)
    }

    fn activation(&self, plans: &[&FlowPlan]) -> Timestamp {
        let activated = plans
            .iter()
            .filter_map(|plan| self.states.get(&plan.number)?.activated_at);
        activated.min().unwrap_or(self.now)
    }

    fn qualification<'a>(
        &'a self,
        segment: NameNo,
        plans: &[&'a FlowPlan],
        condition: &'a Condition,
        joined_at: Timestamp,
        dues: &'a [Box<DueOf<'a>>],
    ) -> Qualification<'a> {
        Qualification {
            examined: Examined {
                segment,
                condition,
                frame: self.catalog.frame(self.now),
                joined_at,
            },
            entering: plans
                .iter()
                .zip(dues)
                .filter(|(plan, _)| self.is_caught_up(plan))
                .filter_map(|(plan, due)| self.entering(plan, EntryAnchor::At(self.now), due))
                .collect(),
            lets_go: plans
                .iter()
                .filter(|plan| plan.flow.exit.on_leaving_segment)
                .map(|plan| plan.number)
                .collect(),
        }
    }

    fn due<'a>(&'a self, plan: &'a FlowPlan) -> Box<DueOf<'a>> {
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

    /// Enrolls the members that a flow found at its activation, one stride at a time.
    async fn catch_up(&self) -> Result<Option<Pass>> {
        for (_, plans) in self.segments() {
            for plan in plans {
                let Some(state) = self.states.get(&plan.number) else {
                    continue;
                };
                if state.caught_up_to >= BUCKETS {
                    continue;
                }
                let (due, stride) = (self.due(plan), self.buckets(state.caught_up_to));
                let activated_at = state.activated_at.unwrap_or(self.now);
                let anchor = match plan.flow.entry.existing_members {
                    ExistingMembers::FromJoining => EntryAnchor::Joining,
                    _ => EntryAnchor::At(activated_at),
                };
                let Some(entering) = self.entering(plan, anchor, &due) else {
                    continue;
                };
                let enrolled = self.engine.store.catch_up(&entering, stride).await?;
                return Ok(Some(Pass {
                    enrolled,
                    ..Pass::default()
                }));
            }
        }
        Ok(None)
    }

    async fn look_at_changed(&self) -> Result<Pass> {
        if !self.engine.store.any_dirty().await? {
            return Ok(Pass::default());
        }
        let segments = self.segments();
        let dues: Vec<Vec<_>> = segments
            .iter()
            .map(|(_, plans)| plans.iter().map(|plan| self.due(plan)).collect())
            .collect();
        let qualifications: Vec<Qualification<'_>> = segments
            .iter()
            .zip(&dues)
            .filter_map(|((segment, plans), dues)| {
                let condition = self.condition(plans[0])?;
                Some(self.qualification(*segment, plans, condition, self.now, dues))
            })
            .collect();
        let exits: Vec<ExitWhen<'_>> = self
            .catalog
            .flows
            .values()
            .filter_map(|plan| {
                let condition = plan.flow.exit.when.as_ref()?;
                let frame = self.catalog.frame(self.now);
                Some(ExitWhen {
                    flow: plan.number,
                    condition,
                    frame,
                })
            })
            .collect();
        self.engine
            .store
            .examine_changed(&qualifications, &exits, CHANGED, self.now)
            .await
    }

    /// Marks those whom the passing of time alone can have moved into or out of a segment.
    async fn pass_time(
        &self,
        segment: NameNo,
        plans: &[&FlowPlan],
        condition: &Condition,
        state: &SegmentState,
    ) -> Result<()> {
        let since = self.now.duration_since(state.watermark);
        if since < self.engine.clock.flow_span(TIME_EVERY) {
            return Ok(());
        }
        let exits = plans.iter().filter_map(|plan| plan.flow.exit.when.as_ref());
        let conditions: Vec<&Condition> = std::iter::once(condition).chain(exits).collect();
        let (store, frame) = (&self.engine.store, self.catalog.frame(self.now));
        let next = SegmentState {
            watermark: self.now,
            ..state.clone()
        };
        store
            .mark_touched_by_time(&conditions, &frame, state.watermark, (segment, &next))
            .await
    }
}

type DueOf<'a> = dyn Fn(Timestamp, Option<&str>) -> Timestamp + Send + Sync + 'a;

/// What a condition means, nested segments included: a change of it is a change of the segment.
fn definition(revision: &Revision, condition: &Condition) -> String {
    let mut text = serde_json::to_string(condition).unwrap_or_default();
    let mut nested = Vec::new();
    condition.walk(&mut |part| {
        if let Condition::Segment(id) = part {
            nested.push(id.as_str());
        }
    });
    for id in nested {
        if let Some(segment) = revision.segments.get(id) {
            text.push_str(&definition(revision, &segment.condition));
        }
    }
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// Lets those in again whose time for another entry has come, if they still qualify.
pub(super) async fn reenter(
    engine: &Engine,
    catalog: &Catalog,
    states: &States,
    dues: &[Due],
    now: Timestamp,
) -> Result<ClaimPass> {
    let enrolling = Enrolling {
        engine,
        catalog,
        states,
        now,
        stride: STRIDE,
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
            .filter(|plan| enrolling.is_activated(plan));
        let due = plan.map(|plan| enrolling.due(plan));
        let entering = plan.zip(due.as_ref()).and_then(|(plan, due)| {
            let entering = enrolling.entering(plan, EntryAnchor::At(now), due)?;
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
    Ok(ClaimPass {
        looked_at: dues.len(),
        ..ClaimPass::default()
    })
}
