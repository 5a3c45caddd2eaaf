//! Owns the rule `bad-value`: a value that cannot be read as what the key means.
//!
//! **What it does.** Refuses words that are not in the list of a key, dates that are not in the
//! calendar, numbers out of range, times that no clock shows, and the like.
//!
//! **Why.** A wrong value found now is cheaper than a message sent at the wrong time.
//!
//! **Example.**
//! ```yaml
//! status: activ
//! ```
//! **Use instead.** What the message names; here `active`, `draft`, `paused` or `stopped`.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: impl Into<String>) -> Finding {
    Finding::error("bad-value", span, message)
}

/// For a word that is not one of `known`.
pub(crate) fn word<'a>(
    span: Span,
    name: &str,
    text: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Finding {
    finding(span, format!("{name} cannot be `{text}`")).help(suggestion(text, "it may be", known))
}
