//! Owns the rule `yaml-syntax`: a file that is not YAML.
//!
//! **What it does.** Refuses a file that the YAML parser cannot read, at the place where it stopped.
//!
//! **Why.** Nothing in such a file can be trusted, so no part of it is used.
//!
//! **Example.**
//! ```yaml
//! steps: [ { id: welcome, after: 4d
//! ```
//! **Use instead.** Close what was opened, and indent the keys of one map by the same number of spaces.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: &str) -> Finding {
    Finding::error("yaml-syntax", span, format!("this is not YAML: {message}"))
        .help("check the brackets, quotes and indentation here and on the line before")
}
