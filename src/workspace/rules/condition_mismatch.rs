//! Owns the rule `condition-mismatch`: a test that does not go with what it is asked of.
//!
//! **What it does.** Refuses a condition with no subject or two, with no test or two, a test that does
//! not fit the field's type (`starts-with` on a date), and a value that is not of the field's type.
//!
//! **Why.** It would match nobody, or not whom its author had in mind.
//!
//! **Example.**
//! ```yaml
//! where: { field: born_on, starts-with: "19" }
//! ```
//! **Use instead.** A test of the field's type, here `before: 2000-01-01`. Two tests are two conditions under `all`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: impl Into<String>) -> Finding {
    Finding::error("condition-mismatch", span, message)
}
