//! Owns the rule `unknown-tag`: a tag that no file declares (a warning).
//!
//! **What it does.** Warns when a segment asks for a tag that is not in the data model.
//!
//! **Why.** An import or a person may create it, but more often it is misspelled and matches nobody.
//!
//! **Example.**
//! ```yaml
//! where: { tag: stafff }
//! ```
//! **Use instead.** The tag's name; declare it under `tags:` in a `customers:` document.

use crate::domain::near::near;
use crate::workspace::diagnostic::Finding;
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, tag: &str) -> Result<(), Finding> {
    if names.tags.contains(tag) {
        return Ok(());
    }
    let finding = Finding::warning("unknown-tag", span, format!("the tag `{tag}` is not declared"));
    let near = near(tag, names.tags.iter().map(String::as_str));
    Err(match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("declare it under `tags:` in a `customers:` document"),
    })
}
