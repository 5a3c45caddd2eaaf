//! Owns the rule `service-purpose`: a category that is exempt from consent (a warning).
//!
//! **What it does.** Warns of each category with `purpose: service`.
//!
//! **Why.** Its messages are sent without marketing consent, to people who unsubscribed, over every cap.
//! Whether a message is a service is for compliance to say.
//!
//! **Example.**
//! ```yaml
//! categories: { statements: { name: Statements, purpose: service } }
//! ```
//! **Use instead.** Keep it when compliance agreed; the warning stays as a reminder.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, category: &str) -> Finding {
    Finding::warning(
        "service-purpose",
        span,
        format!("messages of the category `{category}` need no marketing consent"),
    )
    .help("make sure that compliance agreed")
}
