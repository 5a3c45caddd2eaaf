//! Owns the rule `exactly-one`: two where one is needed, or none.
//!
//! **What it does.** Refuses a step with two channels, a communication, gateway, HTTP body or validation
//! with none or two of its kinds.
//!
//! **Why.** Only one of them could be carried out.
//!
//! **Example.**
//! ```yaml
//! - id: welcome
//!   email: onboarding/welcome
//!   sms: onboarding/hello
//! ```
//! **Use instead.** One step for each.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, what: &str, kinds: &[&str], found: usize) -> Finding {
    let list: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let message = if found == 0 {
        format!("{what} has none of {}", list.join(", "))
    } else {
        format!("{what} has {found} of {}", list.join(", "))
    };
    Finding::error("exactly-one", span, message).help(format!("{what} needs exactly one of them"))
}
