//! Owns the rule `unknown-document`: a document whose first key does not say what it defines.
//!
//! **What it does.** Refuses a document that does not begin with `flow:`, `segment:`, `campaign:`,
//! `customers:`, `policy:`, `channel:`, `workspace:` or `test:`.
//!
//! **Why.** The first key decides how the rest is read; a file's name and folder do not matter.
//!
//! **Example.**
//! ```yaml
//! name: Welcome
//! flow: welcome
//! ```
//! **Use instead.** The same with `flow: welcome` first.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::{Node, Value};

pub(crate) fn finding(document: &Node, kinds: &[&'static str]) -> Finding {
    let Some((key, _)) = document.entries().first() else {
        let message = match document.value {
            Value::Map(_) => "a document begins with a key, but this map is empty".to_owned(),
            _ => format!("a document begins with a key, but this is {}", document.what()),
        };
        return Finding::error("unknown-document", document.span, message)
            .help(suggestion("", "a document begins with", kinds.iter().copied()));
    };
    let name = key.text().unwrap_or_default();
    let later = kinds.iter().find(|kind| document.get(kind).is_some());
    let help = later.map_or_else(
        || suggestion(name, "a document begins with", kinds.iter().copied()),
        |kind| format!("write `{kind}:` as the first key"),
    );
    Finding::error(
        "unknown-document",
        key.span,
        format!("a document cannot begin with `{name}`"),
    )
    .help(help)
}
