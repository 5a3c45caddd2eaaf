//! Owns the question "did it": interactions, and for messages we sent the dispatches a gateway took.

use serde_json::json;

use super::bind::Bind;
use super::dialect::{Listed, one_of};
use super::segment_frame::{Binds, Frame, Within, microseconds};
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::NameNo;
use crate::domain::interaction::Kind;
use crate::domain::revision::NameKind;
use crate::domain::segment::Did;

/// The states of a dispatch that was certainly handed over.
const TAKEN: [DispatchState; 3] = [
    DispatchState::Accepted,
    DispatchState::Delivered,
    DispatchState::Bounced,
];

/// The question as SQL over `c` (and `e`, within an enrollment).
pub(super) fn sql(frame: &Frame<'_>, binds: &mut Binds, did: &Did, within: Within) -> String {
    let found = match did.kind.sent_on() {
        Some(channel) => dispatches(frame, binds, did, channel, within),
        None => interactions(frame, binds, did, within),
    };
    if did.at_least <= 1 {
        return format!("EXISTS (SELECT 1 {found})");
    }
    let count = binds.int(did.at_least);
    format!("((SELECT count(*) {found}) >= {count})")
}

/// Interactions of a kind of the customer `c`.
fn interactions_of(binds: &mut Binds, kind: Kind) -> String {
    format!(
        "FROM interactions AS i WHERE i.bucket = c.bucket AND i.customer_id = c.customer_id \
         AND i.kind = {}",
        binds.int(kind.number())
    )
}

/// The numbers of the states of what was handed over.
pub(super) fn taken() -> String {
    TAKEN.map(|state| state.number().to_string()).join(", ")
}

/// Dispatches of a channel to the customer `c` that were handed over.
fn dispatches_of(binds: &mut Binds, channel: Channel) -> String {
    let states = taken();
    format!(
        "FROM enrollments AS n CROSS JOIN dispatches AS d WHERE n.bucket = c.bucket \
         AND n.customer_id = c.customer_id AND d.bucket = n.bucket \
         AND d.enrollment_id = n.enrollment_id AND d.state IN ({states}) AND d.channel = {}",
        binds.int(channel.number())
    )
}

fn interactions(frame: &Frame<'_>, binds: &mut Binds, did: &Did, within: Within) -> String {
    let mut parts = vec![interactions_of(binds, did.kind)];
    let mut and = |part: String| parts.push(part);
    if let Some(campaign) = &did.campaign {
        let campaign = binds.text(campaign);
        and(format!("(i.campaign = {campaign} OR i.flow = {campaign})"));
    }
    if let Some(flow) = &did.flow {
        and(format!("i.flow = {}", binds.text(flow)));
    }
    if let Some(step) = &did.step {
        and(format!("i.step = {}", binds.text(step)));
    }
    if let Some(channel) = did.channel {
        and(format!("i.channel = {}", binds.int(channel.number())));
    }
    let own = own_step(did, within);
    if own {
        and("i.flow = (SELECT f.name FROM names AS f WHERE f.number = e.flow)".to_owned());
    }
    if let Some(span) = did.within_last {
        and(format!(
            "i.at > {}",
            binds.int(frame.now.as_microsecond() - microseconds(span))
        ));
    }
    if own || (within == Within::Enrollment && did.within_last.is_none()) {
        // What ended a run is done before the next one, even if it follows at once.
        and("(i.at > e.started_at OR (i.at = e.started_at AND e.entry = 1))".to_owned());
    }
    parts.join(" AND ")
}

/// A step without its flow means this enrollment's.
fn own_step(did: &Did, within: Within) -> bool {
    within == Within::Enrollment && did.step.is_some() && did.flow.is_none()
}

fn dispatches(
    frame: &Frame<'_>,
    binds: &mut Binds,
    did: &Did,
    channel: Channel,
    within: Within,
) -> String {
    let mut parts = vec![dispatches_of(binds, channel)];
    let mut and = |part: String| parts.push(part);
    if let Some(channel) = did.channel {
        and(format!("d.channel = {}", binds.int(channel.number())));
    }
    if let Some(campaign) = &did.campaign {
        let flow = binds.int(flow_number(frame, campaign));
        let steps = steps_that_reuse(frame, campaign, channel);
        let steps = one_of("d.step", Listed::Whole, binds.place(numbers(&steps)));
        and(format!("(n.flow = {flow} OR {steps})"));
    }
    if let Some(flow) = &did.flow {
        and(format!("n.flow = {}", binds.int(flow_number(frame, flow))));
    }
    if let Some(step) = &did.step {
        let steps = steps_named(frame, did.flow.as_deref(), step);
        and(one_of(
            "d.step",
            Listed::Whole,
            binds.place(numbers(&steps)),
        ));
    }
    if own_step(did, within) {
        and("n.bucket = e.bucket AND n.enrollment_id = e.enrollment_id".to_owned());
    }
    if let Some(span) = did.within_last {
        and(format!(
            "d.at > {}",
            binds.int(frame.now.as_microsecond() - microseconds(span))
        ));
    } else if within == Within::Enrollment {
        and("d.at >= e.started_at".to_owned());
    }
    parts.join(" AND ")
}

/// The number of a flow; 0, which nothing has, when it was never published.
pub(super) fn flow_number(frame: &Frame<'_>, flow: &str) -> i64 {
    frame
        .numbers
        .number(NameKind::Flow, flow)
        .map_or(0, i64::from)
}

fn steps_that_reuse(frame: &Frame<'_>, campaign: &str, channel: Channel) -> Vec<NameNo> {
    let campaign_of_it = frame.revision.campaigns.get(campaign);
    let by_hand = campaign_of_it.into_iter().flat_map(by_hand::ids_of);
    let by_hand = by_hand.filter_map(|id| frame.numbers.step(&id, by_hand::STEP));
    let flows = frame.revision.flows.values();
    flows
        .flat_map(|flow| flow.steps.iter().map(move |step| (flow, step)))
        .filter(|(_, step)| {
            let action = step.action_on(channel);
            let reuses = action.and_then(|action| action.reuses.as_ref());
            reuses.is_some_and(|reuse| reuse.campaign == campaign)
        })
        .filter_map(|(flow, step)| frame.numbers.step(&flow.id, &step.id))
        .chain(by_hand)
        .collect()
}

fn steps_named(frame: &Frame<'_>, flow: Option<&str>, step: &str) -> Vec<NameNo> {
    let flows: Vec<&str> = match flow {
        Some(flow) => vec![flow],
        None => frame.revision.flows.keys().map(String::as_str).collect(),
    };
    flows
        .into_iter()
        .filter_map(|flow| frame.numbers.step(flow, step))
        .collect()
}

fn numbers(steps: &[NameNo]) -> Bind {
    Bind::Text(json!(steps).to_string())
}
