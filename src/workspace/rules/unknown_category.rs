//! Owns the rule `unknown-category`: a category that the policy does not list.
//!
//! **What it does.** Refuses a `category` of a flow, campaign or condition that is not under `categories:` in
//! the policy.
//!
//! **Why.** Customers give up messages by category; a misspelled one would escape their wish.
//!
//! **Example.**
//! ```yaml
//! category: onbording
//! ```
//! **Use instead.** One of the policy's categories, or add it there.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, id: &str) -> Result<(), Finding> {
    if names.categories.contains(id) {
        return Ok(());
    }
    let known = names.categories.iter().map(String::as_str);
    Err(
        Finding::error("unknown-category", span, format!("the policy has no category `{id}`"))
            .help(suggestion(id, "categories of the policy", known)),
    )
}
