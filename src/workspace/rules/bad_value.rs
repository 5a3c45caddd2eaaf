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
use crate::workspace::node::{Node, Span};
use crate::workspace::rules::secret_in_flows::reference;

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

/// Reports each `${` that does not begin a reference.
pub(crate) fn references(document: &Node, report: &mut impl FnMut(Finding)) {
    document.walk(&mut |node| {
        let text = node.text().unwrap_or_default();
        if text.contains("${") && reference(text).is_none() {
            let message = "`${` begins a reference, and this is none";
            report(
                finding(node.span, message)
                    .help("write `${NAME}` for the environment or `${credential:NAME}`"),
            );
        }
    });
}
