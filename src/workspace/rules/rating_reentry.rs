//! Owns the rule `rating-reentry`: a flow whose own messages can make people qualify again (a warning).
//!
//! **What it does.** Warns when a flow with `reentry: every-requalification` has a segment that asks for
//! the rating or the last activity, itself or through another segment.
//!
//! **Why.** A message sent is an activity: it takes people out of the segment, and time brings them back, for ever.
//!
//! **Example.**
//! ```yaml
//! segment: dormant
//! entry: { reentry: every-requalification }
//! ```
//! **Use instead.** `last-engagement`, which never counts our own messages, or `reentry: every 90d`.

use std::collections::BTreeMap;

use crate::domain::segment::{Condition, Moment, Segment};
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::warning(
        "rating-reentry",
        span,
        "this flow's own messages count as activity, so people may enter again and again",
    )
    .help("use `last-engagement` in the segment, or `reentry: every 90d`")
}

/// Whether a segment asks for the rating or the last activity. Segments form no circle here, or the
/// depth ends it.
pub(crate) fn asks(segments: &BTreeMap<String, Segment>, id: &str, depth: usize) -> bool {
    let Some(segment) = segments.get(id).filter(|_| depth > 0) else {
        return false;
    };
    let mut found = false;
    segment.condition.walk(&mut |condition| {
        found |= match condition {
            Condition::Rating(_) => true,
            Condition::Moment { moment, .. } => *moment == Moment::LastActivity,
            Condition::Segment(other) => asks(segments, other, depth - 1),
            _ => false,
        };
    });
    found
}
