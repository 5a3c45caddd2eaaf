//! Owns the rule `missing-campaign`: a campaign that no file defines.
//!
//! **What it does.** Names each campaign that a step or condition refers to and that is not there.
//!
//! **Why.** The step would have nothing to send, and the condition would never be met.
//!
//! **Example.**
//! ```yaml
//! email: onbording/welcome
//! ```
//! **Use instead.** The id of a campaign that exists; in conditions a flow's id is one too.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn finding(names: &Names, span: Span, id: &str) -> Finding {
    let known = names.campaigns.keys().map(String::as_str);
    Finding::error("missing-campaign", span, format!("there is no campaign `{id}`"))
        .help(suggestion(id, "campaigns", known))
}

/// For conditions, where a flow is a campaign too.
pub(crate) fn check(names: &Names, span: Span, id: &str) -> Result<(), Finding> {
    if names.is_campaign(id) {
        return Ok(());
    }
    Err(finding(names, span, id))
}
