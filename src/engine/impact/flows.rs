//! Owns what becomes of flows and segments as a whole: who would enter, who would leave, who would be stranded.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::candidate::Candidate;
use super::outcome::{FlowImpact, SegmentImpact, add};
use crate::domain::flow::{ExistingMembers, Flow, FlowStatus};
use crate::domain::ids::NameNo;
use crate::domain::revision::{NameKind, Revision};
use crate::domain::segment::Condition;
use crate::engine::entry;
use crate::engine::watched::Watched;
use crate::store::{Result, Store};

/// The flows that are concerned, with what can be said of each without looking at single people.
pub(super) async fn changed(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    now: Timestamp,
) -> Result<Vec<FlowImpact>> {
    let mut found = Vec::new();
    for flow in candidate.revision().flows.values() {
        let before = was.flows.get(&flow.id);
        if before == Some(flow) && !moves_members(candidate, was, flow) {
            continue;
        }
        found.push(of_flow(store, candidate, was, flow, now).await?);
    }
    for flow in was.flows.keys() {
        if candidate.revision().flows.contains_key(flow) {
            continue;
        }
        let live = match candidate.flow(flow) {
            Some(number) => store.live_in(number).await?,
            None => 0,
        };
        found.push(FlowImpact {
            flow: flow.clone(),
            live,
            stranded: live,
            ..FlowImpact::default()
        });
    }
    Ok(found)
}

/// Whether the flow's segment means something else.
fn moves_members(candidate: &Candidate, was: &Revision, flow: &Flow) -> bool {
    let before = was.flows.get(&flow.id);
    let before = before.map(|before| Watched::of(before, was).definition);
    before.as_deref() != Some(Watched::of(flow, candidate.revision()).definition.as_str())
}

async fn of_flow(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    flow: &Flow,
    now: Timestamp,
) -> Result<FlowImpact> {
    let mut impact = FlowImpact {
        flow: flow.id.clone(),
        ..FlowImpact::default()
    };
    let Some(number) = candidate.flow(&flow.id) else {
        return Ok(impact);
    };
    impact.live = store.live_in(number).await?;
    match flow.status {
        FlowStatus::Stopped => {
            let leave = if flow.is_draining() {
                store.pending(number).await?
            } else {
                impact.live
            };
            add(&mut impact.exits, "flow_stopped", leave);
        }
        FlowStatus::Draft => {}
        FlowStatus::Paused if is_new(candidate, flow) => {}
        FlowStatus::Active | FlowStatus::Paused => {
            if is_new(candidate, flow) || moves_members(candidate, was, flow) {
                members(store, candidate, (flow, number), now, &mut impact).await?;
            }
            exit_condition(store, candidate, was, (flow, number), now, &mut impact).await?;
        }
    }
    Ok(impact)
}

/// Whether nobody has entered it yet, as it was not active.
fn is_new(candidate: &Candidate, flow: &Flow) -> bool {
    let state = candidate.flow(&flow.id);
    let state = state.and_then(|number| candidate.states.get(&number));
    state.is_none_or(|state| state.activated_at.is_none())
}

/// Who would come to qualify and enter, and who would leave because they do not any more.
async fn members(
    store: &Store,
    candidate: &Candidate,
    (flow, number): (&Flow, NameNo),
    now: Timestamp,
    impact: &mut FlowImpact,
) -> Result<()> {
    let catalog = &candidate.catalog;
    let numbers = &catalog.published.numbers;
    let segment = numbers.number(NameKind::Segment, &flow.segment);
    let Some(segment) = segment else {
        return Ok(());
    };
    let (places, frame) = ((segment, number), catalog.frame(now));
    if let Some(schedule) = &flow.entry.schedule {
        let next = schedule.after(now, &catalog.zone);
        let next = next.map_or_else(String::new, |next| format!(", next at {next}"));
        let note = format!("members enter at `{schedule}` only{next}");
        impact.notes.push(note);
    }
    let skips =
        flow.entry.schedule.is_none() && flow.entry.existing_members == ExistingMembers::Skip;
    let audience = candidate.audience(flow);
    if !(skips && is_new(candidate, flow)) {
        let rule = entry::rule(flow, now, &catalog.zone);
        let everyone = Condition::All(Vec::new());
        let asked = audience.unwrap_or(&everyone);
        let entrants = store.entrants(places, rule, asked, &frame).await?;
        if audience.is_some() {
            impact.enters = entrants;
        } else {
            impact.may_enter = entrants;
        }
    }
    let Some(condition) = audience else {
        let note = "its segment asks for fields that have no values yet".to_owned();
        impact.notes.push(note);
        return Ok(());
    };
    if flow.exit.on_leaving_segment {
        let leave = store.leavers_in_flow(places, condition, &frame).await?;
        add(&mut impact.exits, "left_segment", leave);
    }
    Ok(())
}

/// Who would meet an exit condition that was not there before. A goal that is new measures those who enter
/// from then on, and ends nobody's run.
async fn exit_condition(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    (flow, number): (&Flow, NameNo),
    now: Timestamp,
    impact: &mut FlowImpact,
) -> Result<()> {
    let before = was.flows.get(&flow.id);
    let before = before.and_then(|before| before.exit.when.as_ref());
    let Some(condition) = flow.exit.when.as_ref().filter(|is| Some(*is) != before) else {
        return Ok(());
    };
    if candidate.can_ask(condition) {
        let frame = candidate.catalog.frame(now);
        let met = store.meeting_in_flow(number, condition, &frame).await?;
        add(&mut impact.exits, "exit_condition", met);
    }
    Ok(())
}

/// The segments that flows use and that mean something else.
pub(super) async fn segments(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    now: Timestamp,
) -> Result<Vec<SegmentImpact>> {
    let mut found: BTreeMap<String, SegmentImpact> = BTreeMap::new();
    let catalog = &candidate.catalog;
    for flow in candidate.revision().flows.values() {
        let number = catalog
            .published
            .numbers
            .number(NameKind::Segment, &flow.segment);
        let (Some(number), Some(condition)) = (number, candidate.audience(flow)) else {
            continue;
        };
        if found.contains_key(&flow.segment) || !moves_members(candidate, was, flow) {
            continue;
        }
        let frame = catalog.frame(now);
        let impact = SegmentImpact {
            segment: flow.segment.clone(),
            enter: store.newcomers(number, condition, &frame).await?,
            leave: store.leavers(number, condition, &frame).await?,
        };
        found.insert(flow.segment.clone(), impact);
    }
    Ok(found.into_values().collect())
}
