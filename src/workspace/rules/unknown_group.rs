//! Owns the rule `unknown-group`: a group that the policy does not list.
//!
//! **What it does.** Refuses a `group` of a flow, campaign or condition that is not under `groups:` in
//! the policy.
//!
//! **Why.** Customers give up messages by group; a misspelled one would escape their wish.
//!
//! **Example.**
//! ```yaml
//! group: onbording
//! ```
//! **Use instead.** One of the policy's groups, or add it there.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, id: &str) -> Result<(), Finding> {
    if names.groups.contains(id) {
        return Ok(());
    }
    let known = names.groups.iter().map(String::as_str);
    Err(
        Finding::error("unknown-group", span, format!("the policy has no group `{id}`"))
            .help(suggestion(id, "groups of the policy", known)),
    )
}
