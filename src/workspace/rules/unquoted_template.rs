//! Owns the rule `unquoted-template`: a text that begins with `{{` and has no quotes.
//!
//! **What it does.** Refuses a value that begins with `{{` without a quote before it.
//!
//! **Why.** To YAML a `{` opens a map, so the text would be lost.
//!
//! **Example.**
//! ```yaml
//! subject: {{ customer.first_name }}, welcome
//! ```
//! **Use instead.**
//! ```yaml
//! subject: "{{ customer.first_name }}, welcome"
//! ```

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span) -> Finding {
    Finding::error(
        "unquoted-template",
        span,
        "a text that begins with `{{` needs quotes",
    )
    .help("put the whole text in double quotes: \"{{ … }}\"")
}
