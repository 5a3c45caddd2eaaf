//! Owns the rule `duplicate-key`: a key written twice in one map.
//!
//! **What it does.** Refuses the second of two equal keys and shows the first.
//!
//! **Why.** One of the two would be ignored, and nobody could say which.
//!
//! **Example.**
//! ```yaml
//! after: 4d
//! after: 7d
//! ```
//! **Use instead.** One of them.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::{Node, Span};

pub(crate) fn finding(first: Span, second: &Node) -> Finding {
    let key = second.text().unwrap_or_default();
    Finding::error("duplicate-key", second.span, format!("`{key}` is written twice"))
        .help("keep one of them")
        .also(first, "first written here")
}
