//! Owns the rule `built-in-field`: a built-in field that is declared with another type.
//!
//! **What it does.** Refuses another `type` or `cardinality` for a built-in field, and any declaration of `id`.
//!
//! **Why.** Files, gateways and templates rely on what these fields hold.
//!
//! **Example.**
//! ```yaml
//! fields: { born_on: { type: text } }
//! ```
//! **Use instead.** A field of your own; a built-in one may get validations and a description.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, field: &str, kind: &str) -> Finding {
    Finding::error(
        "built-in-field",
        span,
        format!("the built-in field `{field}` is {kind}, and stays so"),
    )
    .help("declare a field of another name, or leave `type` and `cardinality` out")
}
