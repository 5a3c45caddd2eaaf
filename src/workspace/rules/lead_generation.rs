//! Owns the rule `lead-generation`: a lead block in a flow.
//!
//! **What it does.** Refuses `lead` and `lead-generation` in a flow.
//!
//! **Why.** A flow's audience is already in the database: the customers who meet the segment's conditions.
//!
//! **Example.**
//! ```yaml
//! flow: welcome
//! lead-generation: { form: newsletter }
//! ```
//! **Use instead.** Generate leads in a standard campaign funnel; once they are customers, a segment finds them.

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::Node;

pub(crate) fn as_key(kind: Kind, key: &Node) -> Option<Finding> {
    let name = key.text().filter(|_| kind == Kind::Flow)?;
    matches!(name, "lead" | "lead-generation" | "leads").then(|| {
        Finding::error(
            "lead-generation",
            key.span,
            format!("a flow has no `{name}`: its audience is already in the database"),
        )
        .help("configure it in a standard campaign funnel instead; here name a `segment`")
    })
}
