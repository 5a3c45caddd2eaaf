//! Owns what the passing of time alone does to segments: nothing, until the next edge is met.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::catalog::{Catalog, FlowPlan};
use super::runtime::Engine;
use crate::domain::ids::NameNo;
use crate::store::{Edge, Result, SegmentState};

/// The most often that one segment's edges are looked at, in machine time: where many lie close
/// together, those of so long are met at once.
const MOST_OFTEN: SignedDuration = SignedDuration::from_millis(250);

/// One look at the time.
pub(super) struct Passing<'a> {
    pub(super) engine: &'a Engine,
    pub(super) catalog: &'a Catalog,
    pub(super) now: Timestamp,
}

impl Passing<'_> {
    /// Sees to those whom the passing of time alone has moved into or out of a segment, if there can
    /// be any by now; else says how long to wait for that.
    pub(super) async fn look(
        &self,
        segment: NameNo,
        plans: &[&FlowPlan],
        state: &SegmentState,
    ) -> Result<Option<Duration>> {
        let clock = &self.engine.clock;
        let Some(next) = state.next_edge else {
            return Ok(None);
        };
        let rested = state.watermark + clock.flow_span(MOST_OFTEN);
        let at = if next > state.watermark {
            next.max(rested)
        } else {
            next
        };
        if at > self.now {
            return Ok(Some(clock.until(at)));
        }
        let (store, frame) = (&self.engine.store, self.catalog.frame(self.now));
        let edges = edges(plans);
        store
            .pass_time(segment, &edges, &frame, state.watermark)
            .await?;
        Ok(None)
    }
}

/// All edges that concern the flows over one segment, each once.
pub(super) fn edges(plans: &[&FlowPlan]) -> Vec<Edge> {
    let mut all: Vec<Edge> = Vec::new();
    for edge in plans.iter().flat_map(|plan| &plan.watched.edges) {
        if !all.contains(edge) {
            all.push(edge.clone());
        }
    }
    all
}
