//! Owns what a flow watches of its customers: what its segment, its exit condition and its goal ask about.

use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::flow::Flow;
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;
use crate::domain::touched::Touched;
use crate::store::{Edge, edges};

/// What changes of a customer can mean to a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What lets customers into the segment, out of it or into the flow.
    pub entry: Touched,
    /// What decides about the exit condition, for those who are in the flow and for those who enter it.
    pub exit: Touched,
    /// What decides about the goal, for those who are or were in the flow.
    pub goal: Touched,
    /// How time alone moves customers into the segment, out of it or out of the flow.
    pub edges: Vec<Edge>,
    /// What the segment means: another text is another segment.
    pub definition: String,
}

impl Watched {
    pub(super) fn of(flow: &Flow, revision: &Revision) -> Self {
        let condition = revision.segments.get(&flow.segment);
        let condition = condition.map(|segment| &segment.condition);
        let asks = |condition: &Condition| condition.asks(revision);
        // Only the active enter.
        let entry = condition.map(asks).unwrap_or_default() | Touched::STATUS;
        let exit = flow.exit.when.as_ref().map(asks).unwrap_or_default();
        let aim = flow.goal.as_ref().map(|goal| &goal.when);
        let mut moving = Vec::new();
        for condition in condition.into_iter().chain(&flow.exit.when).chain(aim) {
            let more = edges(condition, revision).into_iter();
            moving.extend(more);
        }
        Self {
            edges: moving,
            entry,
            exit: exit | entry,
            goal: aim.map(asks).unwrap_or_default(),
            definition: condition.map_or_else(String::new, |c| definition(c, revision)),
        }
    }

    pub(super) fn asks(&self) -> Touched {
        self.entry | self.exit | self.goal
    }
}

/// What a condition means, nested segments included, and what else of the files gives it its meaning:
/// a change of any of it is a change of the segment.
fn definition(condition: &Condition, revision: &Revision) -> String {
    let mut fields = Vec::new();
    let mut steps = Vec::new();
    let parts = condition.unfolded(revision);
    for part in &parts {
        match part {
            Condition::Field { field, .. } | Condition::Many { field, .. } => {
                let field = revision.data_model.field(field);
                fields.push(field.map(|field| (field.kind, field.cardinality)));
            }
            Condition::Did(did) if did.kind.sent_on().is_some() => {
                // A campaign's messages are also those of the steps that reuse it.
                let flows = revision.flows.values();
                steps.extend(flows.flat_map(|flow| flow.steps.iter().map(move |s| (&flow.id, s))));
            }
            _ => {}
        }
    }
    let steps: Vec<_> = steps
        .into_iter()
        .map(|(flow, step)| {
            let reuses = step.actions.iter().map(|action| {
                let reuse = action.reuses.as_ref();
                (action.content.channel(), reuse.map(|reuse| &reuse.campaign))
            });
            (flow, &step.id, reuses.collect::<Vec<_>>())
        })
        .collect();
    let text = json!([parts, fields, steps, revision.rating, revision.zone]).to_string();
    format!("{:016x}", xxh3_64(text.as_bytes()))
}
