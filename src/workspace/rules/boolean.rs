//! Owns the rule `boolean`: `yes`, `no`, `on` or `off` where `true` or `false` belongs.
//!
//! **What it does.** Refuses every spelling of a truth but `true` and `false`.
//!
//! **Why.** YAML versions disagree on what `no` means (it is also Norway), so it means nothing here.
//!
//! **Example.**
//! ```yaml
//! dismissable: yes
//! ```
//! **Use instead.** `dismissable: true`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, name: &str, text: &str) -> Finding {
    let finding = Finding::error(
        "boolean",
        span,
        format!("{name} must be `true` or `false`, not `{text}`"),
    );
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => finding.help("write `true`"),
        "no" | "off" | "n" | "false" => finding.help("write `false`"),
        _ => finding,
    }
}
