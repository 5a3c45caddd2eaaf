//! Owns the rule `not-utf-8`: a file with bytes that are not UTF-8.
//!
//! **What it does.** Refuses the file at the first byte that is not UTF-8.
//!
//! **Why.** Guessing the encoding would put wrong letters into customers' messages.
//!
//! **Example.** A file saved as Latin-1 or UTF-16.
//!
//! **Use instead.** Save it as UTF-8.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::error("not-utf-8", span, "this file is not UTF-8 from here on")
        .help("save it with the encoding UTF-8")
}
