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

use std::collections::{BTreeMap, BTreeSet};

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

/// Whether a segment asks for the rating or the last activity; `seen` are those already looked at.
pub(crate) fn asks<'a>(
    segments: &'a BTreeMap<String, Segment>,
    id: &'a str,
    seen: &mut BTreeSet<&'a str>,
) -> bool {
    let Some(segment) = segments.get(id).filter(|_| seen.insert(id)) else {
        return false;
    };
    let mut found = false;
    let mut others = Vec::new();
    segment.condition.walk(&mut |condition| match condition {
        Condition::Rating(_) => found = true,
        Condition::Moment { moment, .. } => found |= *moment == Moment::LastActivity,
        Condition::Segment(other) => others.push(other.as_str()),
        _ => {}
    });
    found || others.into_iter().any(|other| asks(segments, other, seen))
}
