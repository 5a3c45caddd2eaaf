//! Owns the rule `everyone`: a flow or segment without a specific audience.
//!
//! **What it does.** Refuses the segment `everyone`, a flow without a segment, and a segment without
//! conditions, also when empty lists are nested in each other.
//!
//! **Why.** A flow runs by itself for everybody who comes to qualify; a message to all customers is
//! decided by a person each time.
//!
//! **Example.**
//! ```yaml
//! flow: welcome
//! segment: everyone
//! ```
//! **Use instead.** A segment with a condition. A message to everybody belongs in a standard campaign funnel.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::{Node, Span};

const HELP: &str = "name a segment with at least one condition; a message to everybody belongs in a \
                    standard campaign funnel instead";

pub(crate) fn is_everyone(id: &str) -> bool {
    matches!(id.to_lowercase().as_str(), "everyone" | "everybody")
}

pub(crate) fn named(span: Span, id: &str) -> Finding {
    Finding::error(
        "everyone",
        span,
        format!("`{id}` is not a segment: a flow needs a specific audience"),
    )
    .help(HELP)
}

pub(crate) fn no_segment(span: Span) -> Finding {
    Finding::error("everyone", span, "this flow has no segment").help(HELP)
}

pub(crate) fn no_condition(span: Span) -> Finding {
    Finding::error("everyone", span, "this segment has no condition").help(HELP)
}

/// Whether a condition asks nothing, however its empty lists are nested.
pub(crate) fn asks_nothing(condition: &Node) -> bool {
    condition.entries().iter().all(|(key, value)| match key.text() {
        Some("all" | "any") => value.items().iter().all(asks_nothing),
        Some("not") => asks_nothing(value),
        _ => false,
    })
}
