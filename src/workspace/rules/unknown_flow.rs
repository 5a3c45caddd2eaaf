//! Owns the rule `unknown-flow`: a flow or step in a condition that no file defines.
//!
//! **What it does.** Refuses `in-flow`, `flow` and `step` with a name that is not there, and a `step`
//! without a `flow` outside of flows.
//!
//! **Why.** The condition would never be met.
//!
//! **Example.**
//! ```yaml
//! if: { did: email-clicked, step: welcom }
//! ```
//! **Use instead.** The id of a step of this flow, or `flow:` and the id of one of its steps.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, id: &str) -> Result<(), Finding> {
    if names.flows.contains_key(id) {
        return Ok(());
    }
    let known = names.flows.keys().map(String::as_str);
    Err(Finding::error("unknown-flow", span, format!("there is no flow `{id}`"))
        .help(suggestion(id, "flows", known)))
}

/// `flow` is the one that the step belongs to, if any is known.
pub(crate) fn step(names: &Names, span: Span, flow: Option<&str>, id: &str) -> Result<(), Finding> {
    let Some(flow) = flow else {
        return Err(
            Finding::error("unknown-flow", span, format!("which flow has the step `{id}`?"))
                .help("add `flow:` with the flow's id"),
        );
    };
    let Some(steps) = names.flows.get(flow).filter(|steps| !steps.contains(id)) else {
        return Ok(());
    };
    let known = steps.iter().map(String::as_str);
    Err(Finding::error(
        "unknown-flow",
        span,
        format!("the flow `{flow}` has no step `{id}`"),
    )
    .help(suggestion(id, "steps", known)))
}
