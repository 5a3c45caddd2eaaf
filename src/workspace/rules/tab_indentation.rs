//! Owns the rule `tab-indentation`: a line that is indented with a tab.
//!
//! **What it does.** Refuses a tab before the first word of a line.
//!
//! **Why.** YAML allows only spaces there, because editors show tabs in different widths.
//!
//! **Example.** A line that begins with a tab key instead of two spaces.
//!
//! **Use instead.** Two spaces for each level. Most editors have "convert indentation to spaces".

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::error("tab-indentation", span, "this line is indented with a tab")
        .help("indent with spaces: YAML does not allow tabs there")
}
