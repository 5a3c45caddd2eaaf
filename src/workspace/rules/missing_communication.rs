//! Owns the rule `missing-communication`: a communication that its campaign does not have.
//!
//! **What it does.** Names each communication that a step refers to and that is not in the campaign.
//!
//! **Why.** The step would have nothing to send.
//!
//! **Example.**
//! ```yaml
//! email: onboarding/welcom
//! ```
//! **Use instead.** `email: onboarding/welcome`: the campaign's id, a slash, the communication's name.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::Span;

pub(crate) fn finding<'a>(
    span: Span,
    campaign: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Finding {
    Finding::error(
        "missing-communication",
        span,
        format!("the campaign `{campaign}` has no communication `{name}`"),
    )
    .help(suggestion(name, "communications", known))
}
