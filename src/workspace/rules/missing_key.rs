//! Owns the rule `missing-key`: a key that must be there and is not.
//!
//! **What it does.** Names each required key that a map lacks.
//!
//! **Why.** There is no default that would be right for everybody.
//!
//! **Example.**
//! ```yaml
//! steps:
//!   - email: onboarding/welcome
//! ```
//! **Use instead.** Add the key; here `id: welcome`, by which the step is known for ever.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::{Node, Span};

pub(crate) fn finding(map: &Node, name: &str, key: &str) -> Finding {
    let first = map.entries().first();
    let span = first.map_or(map.span, |(key, _)| key.span);
    at(span, name, key)
}

pub(crate) fn at(span: Span, name: &str, key: &str) -> Finding {
    Finding::error("missing-key", span, format!("{name} needs the key `{key}`"))
        .help(format!("add `{key}:`"))
}
