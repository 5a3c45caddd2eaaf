//! Owns the rule `in-flow-reentry`: a flow that lets everybody in again as soon as they are through.
//!
//! **What it does.** Refuses a flow with `reentry: every-requalification` whose segment asks that people
//! are not in this very flow, itself or through another segment.
//!
//! **Why.** Whoever enters leaves the segment, and whoever is through joins it anew: the flow begins
//! again at once, and sends without end. Nobody is in a flow twice at a time anyway.
//!
//! **Example.**
//! ```yaml
//! flow: welcome
//! segment: { where: { all: [ { field: city, is: Lyon }, { not: { in-flow: welcome } } ] } }
//! entry: { reentry: every-requalification }
//! ```
//! **Use instead.** The segment without `in-flow`; or `reentry: every 90d`, for a flow that is meant to
//! begin again.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::segment::{Condition, Segment};
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

type Segments = BTreeMap<String, Segment>;

pub(crate) fn finding(span: Span, flow: &str) -> Finding {
    let message = format!(
        "whoever is through with `{flow}` is in its segment again, and enters again at once, without end"
    );
    Finding::error("in-flow-reentry", span, message)
        .help("take `in-flow` out of the segment, or write how often: `reentry: every 90d`")
}

/// Whether somebody can join the segment by leaving the flow.
pub(crate) fn lets_in_again(segments: &Segments, segment: &str, flow: &str) -> bool {
    let found = segments.get(segment);
    found.is_some_and(|it| is_joined(segments, &it.condition, (flow, false), &mut Seen::new()))
}

/// Segments that were looked at, and whether they were negated there.
type Seen<'a> = BTreeSet<(&'a str, bool)>;

/// Whether leaving the flow can make the condition, or its negation, hold.
fn is_joined<'a>(
    segments: &'a Segments,
    condition: &'a Condition,
    (flow, negated): (&str, bool),
    seen: &mut Seen<'a>,
) -> bool {
    match condition {
        Condition::InFlow(asked) => negated && asked == flow,
        Condition::Not(part) => is_joined(segments, part, (flow, !negated), seen),
        Condition::All(parts) | Condition::Any(parts) => {
            let mut parts = parts.iter();
            parts.any(|part| is_joined(segments, part, (flow, negated), seen))
        }
        Condition::Segment(other) => {
            let is_new = seen.insert((other, negated));
            let other = segments.get(other).filter(|_| is_new);
            other.is_some_and(|it| is_joined(segments, &it.condition, (flow, negated), seen))
        }
        _ => false,
    }
}
