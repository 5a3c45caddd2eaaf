//! Owns the rule `text-cut`: an unquoted text that is cut by ` #`.
//!
//! **What it does.** Refuses an unquoted value that is followed by a `#` with a letter or digit right after it.
//!
//! **Why.** To YAML everything after ` #` is a comment, so customers would get half a sentence.
//!
//! **Example.**
//! ```yaml
//! subject: You are our #1 customer
//! ```
//! **Use instead.** `subject: "You are our #1 customer"`, or a space after the `#` when it is a comment.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Node;

pub(crate) fn check(document: &Node, text: &str, report: &mut impl FnMut(Finding)) {
    document.walk(&mut |node| {
        let end = usize::try_from(node.span.end).unwrap_or_default();
        let rest = text.get(end..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        if node.plain().is_some() && cuts(rest) {
            let mut span = node.span;
            span.end += u32::try_from(rest.trim_end().len()).unwrap_or_default();
            report(
                Finding::error("text-cut", span, "this text is cut at ` #`: the rest is a comment")
                    .help("put the text in double quotes, or a space after the `#` of a comment"),
            );
        }
    });
}

fn cuts(rest: &str) -> bool {
    let comment = rest.trim_start_matches([' ', '\t']);
    comment.len() < rest.len()
        && comment
            .strip_prefix('#')
            .is_some_and(|after| after.starts_with(char::is_alphanumeric))
}
