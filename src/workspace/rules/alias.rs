//! Owns the rule `alias`: an anchor `&name` or an alias `*name`.
//!
//! **What it does.** Refuses YAML's anchors and aliases.
//!
//! **Why.** A few lines of them can stand for millions of values, and a reader cannot see what a line means.
//!
//! **Example.**
//! ```yaml
//! window: &office { days: mon-fri, hours: "09:00-18:00" }
//! ```
//! **Use instead.** Write the value again, or give it a name that the language knows: a segment, or a
//! campaign's communication. A text that begins with `&` or `*` needs quotes.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::error("alias", span, "anchors (`&name`) and aliases (`*name`) are not allowed")
        .help("write the value out; quote a text that begins with `&` or `*`")
}
