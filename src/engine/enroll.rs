//! Owns enrolling: who comes to qualify is found from what changed, never by asking everybody again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::beat::Beat;
use super::catalog::{Catalog, FlowPlan};
use super::entry::{DueOf, Entrances};
use super::instants;
use super::passing::{self, Passing};
use super::runtime::Engine;
use super::watching;
use crate::domain::ids::{BUCKETS, NameNo};
use crate::domain::segment::Condition;
use crate::store::{
    EntryAnchor, Examined, Pass, Qualification, Result, SegmentState, Standing, Watching,
};

/// Buckets examined in one transaction at first; then as many as fit into the time for which others
/// may be kept from writing.
const STRIDE: u16 = 64;
const WRITING: Duration = Duration::from_millis(100);
/// While others are at it, or have been.
const AGAIN_SOON: Duration = Duration::from_millis(100);
/// Changed customers examined in one transaction.
const CHANGED: u32 = 2_000;
/// After so many of them in a row the store has something to tidy up.
const MANY: u64 = 20_000;
/// Every change wakes the loop, and so does every edge that time meets: this is for a machine that slept.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Finds who qualifies, one pass at a time.
pub struct Enroller {
    engine: Arc<Engine>,
    /// The revision whose edges have their indexes.
    indexed: AtomicI32,
    stride: AtomicU16,
    /// Changed customers examined since there was a pause.
    examined: AtomicU64,
}

/// One pass's surroundings.
struct Enrolling<'a> {
    engine: &'a Engine,
    entry: Entrances<'a>,
    /// Before anything else was read.
    standing: Standing,
    stride: u16,
}

impl Enroller {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            indexed: AtomicI32::new(0),
            stride: AtomicU16::new(STRIDE),
            examined: AtomicU64::new(0),
        }
    }

    /// Catches one flow up with what is examined, else examines one stride of a new segment, else
    /// looks at what changed.
    pub async fn run_once(&self) -> Result<(Pass, Beat)> {
        let standing = self.engine.store.standing().await?;
        let catalog = self.engine.catalog();
        self.index(&catalog).await?;
        let states = self.engine.store.flow_states().await?;
        let now = self.engine.clock.now();
        let entry = Entrances {
            catalog: &catalog,
            states: &states,
            now,
        };
        let enrolling = Enrolling {
            engine: &self.engine,
            entry,
            standing,
            stride: self.stride.load(Ordering::Relaxed),
        };
        let begun = Instant::now();
        let (pass, beat) = enrolling.run_once().await?;
        if beat == Beat::Now {
            self.adapt(enrolling.stride, begun.elapsed());
            self.examined.fetch_add(pass.customers, Ordering::Relaxed);
        } else if self.examined.swap(0, Ordering::Relaxed) > MANY {
            self.engine.store.sweep_marks().await?;
        }
        self.engine.metrics.enrolled.inc_by(pass.enrolled);
        self.engine.metrics.exited.inc_by(pass.exited);
        Ok((pass, beat))
    }

    /// Once for each revision: the indexes by which time finds whom it moves.
    async fn index(&self, catalog: &Catalog) -> Result<()> {
        let number = catalog.number().0;
        if self.indexed.load(Ordering::Relaxed) == number {
            return Ok(());
        }
        let plans: Vec<&FlowPlan> = catalog.flows.values().collect();
        self.engine
            .store
            .index_edges(&passing::edges(&plans))
            .await?;
        self.indexed.store(number, Ordering::Relaxed);
        Ok(())
    }

    fn adapt(&self, stride: u16, taken: Duration) {
        let next = if taken < WRITING / 16 {
            stride * 8
        } else if taken < WRITING / 2 {
            stride * 2
        } else if taken > WRITING {
            stride / 2
        } else {
            stride
        };
        self.stride.store(next.clamp(1, BUCKETS), Ordering::Relaxed);
    }
}

impl Enrolling<'_> {
    async fn run_once(&self) -> Result<(Pass, Beat)> {
        let examined = self.engine.store.segment_states().await?;
        let mut wait = LONGEST_WAIT;
        let leads = self.engine.duty.leads();
        let segments = if leads { self.segments() } else { Vec::new() };
        let used = |segment: &NameNo| segments.iter().any(|(other, _)| other == segment);
        for unused in examined.keys().filter(|segment| leads && !used(segment)) {
            self.engine.store.forget_segment(*unused).await?;
        }
        for (segment, plans) in &segments {
            let (segment, plans) = (*segment, plans.as_slice());
            let Some(condition) = self.condition(plans[0]) else {
                continue;
            };
            let definition = &plans[0].watched.definition;
            let state = examined.get(&segment);
            let known = state.filter(|state| state.definition == *definition);
            let examined_to = known.map_or(0, |state| state.examined_to);
            if let Some(pass) = self.catch_up(plans, examined_to).await? {
                return Ok((pass, Beat::Now));
            }
            if examined_to < BUCKETS {
                let pass = self.examine(segment, plans, condition, state).await?;
                return Ok((pass, Beat::Now));
            }
            if let Some(state) = known {
                let until = self.passing().look(segment, plans, state).await?;
                wait = until.map_or(wait, |until| wait.min(until));
            }
        }
        if !self.is_caught_up(&examined) {
            // The node that leads is at it; whoever is let in now would be passed over.
            return Ok((Pass::default(), Beat::Within(AGAIN_SOON)));
        }
        let pass = self.look_at_changed().await?;
        let is_done = pass.customers == 0 && !pass.moved_on;
        if is_done && leads && instants::begin(&self.engine.store, &self.entry).await? {
            return Ok((pass, Beat::Now));
        }
        if let Some(next) = instants::next(self.entry.catalog, self.entry.now) {
            wait = wait.min(self.engine.clock.until(next));
        }
        let beat = if pass.customers == u64::from(CHANGED) {
            Beat::Now
        } else if pass.moved_on {
            Beat::Within(AGAIN_SOON)
        } else {
            Beat::Within(wait.max(SHORTEST_WAIT))
        };
        Ok((pass, beat))
    }

    /// Whether every segment is examined, every flow has its members, and this node knows of both.
    fn is_caught_up(&self, examined: &BTreeMap<NameNo, SegmentState>) -> bool {
        let is_current = self.entry.catalog.number() == self.standing.revision;
        is_current
            && self.segments().iter().all(|(segment, plans)| {
                let definition = &plans[0].watched.definition;
                let state = examined.get(segment);
                let known = state.filter(|state| state.definition == *definition);
                known.is_some_and(|state| state.examined_to == BUCKETS)
                    && plans.iter().all(|plan| {
                        // Whoever joins is not let in by that.
                        let is_scheduled = plan.flow.entry.schedule.is_some();
                        is_scheduled || self.entry.caught_up_to(plan) == BUCKETS
                    })
            })
    }

    fn passing(&self) -> Passing<'_> {
        let (catalog, now) = (self.entry.catalog, self.entry.now);
        Passing {
            engine: self.engine,
            catalog,
            now,
        }
    }

    /// The segments that running flows use, with those flows; in the order of their numbers.
    fn segments(&self) -> Vec<(NameNo, Vec<&FlowPlan>)> {
        let mut segments: Vec<(NameNo, Vec<&FlowPlan>)> = Vec::new();
        let mut plans: Vec<&FlowPlan> = self
            .entry
            .catalog
            .flows
            .values()
            .filter(|plan| self.entry.is_activated(plan))
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

    fn condition(&self, plan: &FlowPlan) -> Option<&Condition> {
        let segments = &self.entry.catalog.revision().segments;
        segments
            .get(&plan.flow.segment)
            .map(|segment| &segment.condition)
    }

    async fn examine(
        &self,
        segment: NameNo,
        plans: &[&FlowPlan],
        condition: &Condition,
        state: Option<&SegmentState>,
    ) -> Result<Pass> {
        let definition = &plans[0].watched.definition;
        let going_on = state.filter(|state| state.definition == *definition);
        let from = going_on.map_or(0, |state| state.examined_to);
        let watermark = going_on.map_or(self.entry.now, |state| state.watermark);
        // A condition that changed meanwhile is examined from the first bucket again, where a flow may
        // have caught up already: up to there it lets in who comes to qualify.
        let caught_up = plans.iter().map(|plan| self.entry.caught_up_to(plan));
        let stride = self.buckets(from);
        let end = caught_up.filter(|to| *to > from).fold(stride.end, u16::min);
        let stride = from..end;
        let next = SegmentState {
            definition: definition.clone(),
            examined_to: stride.end,
            watermark,
            // When all are examined, the next edge is yet to be found.
            next_edge: Some(watermark),
        };
        // Members found when a segment is first looked at joined it when its flow was activated.
        let first = !plans
            .iter()
            .any(|plan| self.entry.caught_up_to(plan) >= end);
        let joined_at = if first {
            self.activation(plans)
        } else {
            self.entry.now
        };
        let due = |plan| self.entry.due(plan);
        let dues: Vec<_> = plans.iter().map(|plan| due(plan)).collect();
        let examined = (segment, condition, joined_at);
        let qualification = self.qualification(examined, plans, end, &dues);
        self.engine
            .store
            .examine_buckets(&qualification, stride, &next)
            .await
    }

    fn activation(&self, plans: &[&FlowPlan]) -> Timestamp {
        let activated = plans
            .iter()
            .filter_map(|plan| self.entry.states.get(&plan.number)?.activated_at);
        activated.min().unwrap_or(self.entry.now)
    }

    /// The examined segment with what it means to its flows, as far as these have caught up with the
    /// buckets below `buckets`.
    fn qualification<'a>(
        &'a self,
        (segment, condition, joined_at): (NameNo, &'a Condition, Timestamp),
        plans: &[&'a FlowPlan],
        buckets: u16,
        dues: &'a [Box<DueOf<'a>>],
    ) -> Qualification<'a> {
        Qualification {
            examined: Examined {
                segment,
                condition,
                frame: self.entry.catalog.frame(self.entry.now),
                joined_at,
            },
            asks: plans[0].watched.entry,
            edges: passing::edges(plans),
            marks: self.entry.catalog.marks_flows,
            entering: plans
                .iter()
                .zip(dues)
                .filter(|(plan, _)| plan.flow.entry.schedule.is_none())
                .filter(|(plan, _)| self.entry.caught_up_to(plan) >= buckets)
                .filter_map(|(plan, due)| {
                    self.entry
                        .entering(plan, EntryAnchor::At(self.entry.now), due)
                })
                .collect(),
            lets_go: plans
                .iter()
                .filter(|plan| plan.flow.exit.on_leaving_segment)
                .map(|plan| plan.number)
                .collect(),
        }
    }

    fn buckets(&self, from: u16) -> Range<u16> {
        from..(from + self.stride).min(BUCKETS)
    }

    /// Enrolls the members that flows found at their activation: one stride of what is examined, right
    /// behind that, while those customers are still in memory.
    async fn catch_up(&self, plans: &[&FlowPlan], examined_to: u16) -> Result<Option<Pass>> {
        for plan in plans {
            let from = self.entry.caught_up_to(plan);
            if from >= examined_to {
                continue;
            }
            let stride = from..examined_to.min(self.buckets(from).end);
            let entry = self.entry.at_instant_of(plan);
            let due = entry.due(plan);
            let anchor = entry.anchor(plan, self.activation(&[plan]));
            let Some(entering) = entry.entering(plan, anchor, &due) else {
                continue;
            };
            let enrolled = self.engine.store.catch_up(&entering, stride).await?;
            return Ok(Some(Pass {
                enrolled,
                ..Pass::default()
            }));
        }
        Ok(None)
    }

    async fn look_at_changed(&self) -> Result<Pass> {
        let stripes = self.engine.duty.stripes();
        if stripes.is_empty() || !self.engine.store.any_dirty().await? {
            return Ok(Pass::default());
        }
        let segments = self.segments();
        let dues: Vec<Vec<_>> = segments
            .iter()
            .map(|(_, plans)| plans.iter().map(|plan| self.entry.due(plan)).collect())
            .collect();
        let qualifications: Vec<Qualification<'_>> = segments
            .iter()
            .zip(&dues)
            .filter_map(|((segment, plans), dues)| {
                let condition = self.condition(plans[0])?;
                let examined = (*segment, condition, self.entry.now);
                Some(self.qualification(examined, plans, BUCKETS, dues))
            })
            .collect();
        let Entrances {
            catalog,
            states,
            now,
        } = self.entry;
        let aims = watching::aims(catalog, states, now);
        let exits = watching::exits(catalog, now);
        let looks = watching::looks(catalog);
        self.engine
            .store
            .examine_changed(
                (&stripes, Some(&self.standing)),
                &qualifications,
                &Watching {
                    aims: &aims,
                    exits: &exits,
                    looks: &looks,
                },
                CHANGED,
                now,
            )
            .await
    }
}
