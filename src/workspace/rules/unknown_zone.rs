//! Owns the rule `unknown-zone`: a time zone that does not exist.
//!
//! **What it does.** Refuses a zone that is not in the IANA time zone database.
//!
//! **Why.** Abbreviations such as `CST` mean different things in different countries.
//!
//! **Example.**
//! ```yaml
//! zone: Madrid
//! ```
//! **Use instead.** `zone: Europe/Madrid`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: impl Into<String>) -> Finding {
    Finding::error("unknown-zone", span, message)
        .help("use a name of the IANA database, such as `Europe/Madrid` or `America/New_York`")
}
