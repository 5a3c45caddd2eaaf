//! Owns the rule `template`: a text that cannot be rendered.
//!
//! **What it does.** Refuses a template that uses a variable or field that does not exist, is not
//! closed, or uses a construct that is not allowed.
//!
//! **Why.** At run time the message would be withheld from every customer.
//!
//! **Example.**
//! ```yaml
//! subject: "Hello {{ customer.frist_name }}"
//! ```
//! **Use instead.** `customer.` and a field's identifier; `flow`, `campaign`, `step`, `organization`,
//! `unsubscribe_url`, `preferences_url`, `dismiss_url`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, message: &str, help: Option<String>) -> Finding {
    let finding = Finding::error("template", span, message);
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}
