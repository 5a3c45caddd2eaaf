//! Owns the rule `no-steps`: a flow or step that does nothing.
//!
//! **What it does.** Refuses a flow with an empty list of steps, and a step with neither a delay nor a message.
//!
//! **Why.** Customers would enter it and leave it, and nothing would happen.
//!
//! **Example.**
//! ```yaml
//! steps: []
//! ```
//! **Use instead.** At least one step with a message; to stop a flow, `status: stopped`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn flow(span: Span) -> Finding {
    Finding::error("no-steps", span, "this flow has no steps")
        .help("add a step, or set `status: draft` in a flow with its first step")
}

pub(crate) fn step(span: Span) -> Finding {
    Finding::error("no-steps", span, "this step neither waits nor sends")
        .help("add `after:` with a delay, or `email`, `sms` or `push`")
}
