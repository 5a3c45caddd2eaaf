//! Owns the rule `missing-segment`: a segment that no file defines.
//!
//! **What it does.** Names each segment that a flow, campaign or condition refers to and that is not there.
//!
//! **Why.** Nobody could qualify, and nobody would notice.
//!
//! **Example.**
//! ```yaml
//! flow: welcome
//! segment: new-member
//! ```
//! **Use instead.** The id of a segment that exists, or a new file that begins with `segment: new-member`.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, id: &str) -> Result<(), Finding> {
    if names.segments.contains(id) {
        return Ok(());
    }
    let known = names.segments.iter().map(String::as_str);
    Err(
        Finding::error("missing-segment", span, format!("there is no segment `{id}`"))
            .help(suggestion(id, "segments", known)),
    )
}
