//! Owns the rule `unknown-key`: a key that the language does not know.
//!
//! **What it does.** Refuses a key that has no meaning where it stands.
//!
//! **Why.** A misspelled key would otherwise be ignored, and the flow would do something else.
//!
//! **Example.**
//! ```yaml
//! flow: welcome
//! segmant: new-members
//! ```
//! **Use instead.** `segment: new-members`. The reference of the language lists the keys of each document.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::Node;

pub(crate) fn finding<'a>(key: &Node, known: impl IntoIterator<Item = &'a str>) -> Finding {
    let name = key.text().unwrap_or_default();
    Finding::error("unknown-key", key.span, format!("unknown key `{name}`"))
        .help(suggestion(name, "keys that may stand here", known))
}
