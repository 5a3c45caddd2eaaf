//! Owns the rule `document-too-complex`: a file nested too deeply, or with too many values.
//!
//! **What it does.** Refuses a file nested more than 32 levels deep or with more than 20,000 values.
//!
//! **Why.** No flow needs it, and such a file can keep the daemon busy for seconds.
//!
//! **Example.** Two hundred thousand opening brackets.
//!
//! **Use instead.** Several files; a segment can name other segments instead of holding their conditions.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::error(
        "document-too-complex",
        span,
        "this file is nested too deeply or holds too many values",
    )
    .help("at most 32 levels and 20,000 values in a file: split it")
}
