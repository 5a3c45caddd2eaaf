//! Owns the rule `wrong-type`: a list where a text belongs, and the like.
//!
//! **What it does.** Refuses a value of another shape than the key needs, and an empty value.
//!
//! **Why.** There is no reading of it that everybody would agree on.
//!
//! **Example.**
//! ```yaml
//! steps: welcome
//! ```
//! **Use instead.** What the message asks for; here a list of steps, each beginning with `- id:`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::{Node, Value};

pub(crate) fn finding(node: &Node, name: &str, expected: &str) -> Finding {
    let finding = match node.value {
        Value::Nothing => Finding::error("wrong-type", node.span, format!("{name} is empty")),
        _ => Finding::error(
            "wrong-type",
            node.span,
            format!("{name} must be {expected}, but this is {}", node.what()),
        ),
    };
    match node.value {
        Value::Nothing => finding.help(format!("write {expected}, or leave the key out")),
        _ => finding.help(format!("write {expected}")),
    }
}

/// For a document that its schema accepts and its type does not.
pub(crate) fn unreadable(document: &Node, message: &str) -> Finding {
    Finding::error(
        "wrong-type",
        document.span,
        format!("this document cannot be read: {message}"),
    )
}
