//! Owns what the passing of time alone does to segments.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::catalog::{Catalog, FlowPlan};
use super::runtime::Engine;
use crate::domain::ids::NameNo;
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;
use crate::store::{Edge, Result, SegmentState, edges};

/// How often the passing of time alone is asked about, in machine time.
const TIME_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// One look at the time.
pub(super) struct Passing<'a> {
    pub(super) engine: &'a Engine,
    pub(super) catalog: &'a Catalog,
    pub(super) rests: &'a Rests,
    pub(super) now: Timestamp,
}

impl Passing<'_> {
    /// Sees to those whom the passing of time alone can have moved into or out of a segment: by the
    /// edge that an instant crosses, or all of them when a day begins.
    pub(super) async fn look(
        &self,
        segment: NameNo,
        plans: &[&FlowPlan],
        condition: &Condition,
        state: &SegmentState,
    ) -> Result<()> {
        let clock = &self.engine.clock;
        let since = self.now.duration_since(state.watermark);
        if since < clock.flow_span(TIME_EVERY) || self.rests.rests(segment, clock.machine()) {
            return Ok(());
        }
        let (store, frame) = (&self.engine.store, self.catalog.frame(self.now));
        let day_began = self.day(state.watermark) != self.day(self.now);
        let examined_to = if day_began && has_daily_edge(condition, frame.revision) {
            0
        } else {
            state.examined_to
        };
        let exits: Vec<(NameNo, &Condition)> = plans
            .iter()
            .filter_map(|plan| Some((plan.number, plan.flow.exit.when.as_ref()?)))
            .collect();
        if day_began {
            for (flow, exit) in &exits {
                if has_daily_edge(exit, frame.revision) {
                    store.mark_enrolled(*flow).await?;
                }
            }
        }
        let conditions: Vec<&Condition> = std::iter::once(condition)
            .chain(exits.iter().map(|(_, exit)| *exit))
            .collect();
        let next = SegmentState {
            watermark: self.now,
            examined_to,
            ..state.clone()
        };
        let began = clock.machine();
        store
            .mark_touched_by_time(&conditions, &frame, state.watermark, (segment, &next))
            .await?;
        self.rests.note(segment, began, clock.machine());
        Ok(())
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.catalog.zone.clone()).date()
    }
}

fn has_daily_edge(condition: &Condition, revision: &Revision) -> bool {
    edges(condition, revision).contains(&Edge::Daily)
}

/// How long looking at the passing of time rests, by segment: what takes long is done seldom, so
/// that it costs no more than half a percent of a core. Machine time.
#[derive(Debug, Default)]
pub(super) struct Rests(Mutex<BTreeMap<NameNo, Timestamp>>);

impl Rests {
    fn rests(&self, segment: NameNo, now: Timestamp) -> bool {
        let rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rests.get(&segment).is_some_and(|until| now < *until)
    }

    fn note(&self, segment: NameNo, began: Timestamp, ended: Timestamp) {
        let until = ended + ended.duration_since(began) * 200;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(segment, until);
    }
}
