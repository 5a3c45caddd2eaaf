//! Owns the rule `file-too-large`: a YAML file or template over 256 KiB.
//!
//! **What it does.** Refuses the file without reading it.
//!
//! **Why.** A flow of that size was not written by a person, and reading it costs everybody time.
//!
//! **Example.** A list of customers pasted into a segment.
//!
//! **Use instead.** Import customers with `drumbeat import` and select them by a tag.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, size: u64) -> Finding {
    Finding::error(
        "file-too-large",
        span,
        format!("this file has {} KiB; at most 256 are read", size.div_ceil(1024)),
    )
    .help("split it; people are selected by fields and tags, not listed in files")
}
