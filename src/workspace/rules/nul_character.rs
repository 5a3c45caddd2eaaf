//! Owns the rule `nul-character`: a text with a NUL character.
//!
//! **What it does.** Refuses a text that holds the character U+0000, which double quotes let one write as `\0`.
//!
//! **Why.** Not every database can store one, and no message can show one.
//!
//! **Example.**
//! ```yaml
//! name: "Wel\0come"
//! ```
//! **Use instead.** `name: "Welcome"`

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Node;

pub(crate) fn check(document: &Node, report: &mut impl FnMut(Finding)) {
    document.walk(&mut |node| {
        if node.text().is_some_and(|text| text.contains('\0')) {
            report(
                Finding::error("nul-character", node.span, "this text holds a NUL character")
                    .help("leave the `\\0` out"),
            );
        }
    });
}
