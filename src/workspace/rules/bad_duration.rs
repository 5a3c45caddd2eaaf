//! Owns the rule `bad-duration`: a duration that cannot be read.
//!
//! **What it does.** Refuses a duration without a unit, with an unknown unit, or over a hundred years.
//!
//! **Why.** `5m` could be minutes or months, and `4` could be anything.
//!
//! **Example.**
//! ```yaml
//! after: 4 days
//! ```
//! **Use instead.** `after: 4d`. Units: `s`, `min`, `h`, `d`, `w`, `mo`; sums such as `1d 12h`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: impl Into<String>) -> Finding {
    Finding::error("bad-duration", span, message).help(
        "write `90s`, `15min`, `12h`, `4d`, `2w`, `1mo` or a sum such as `1d 12h` (`m` alone could be minutes or months)",
    )
}
