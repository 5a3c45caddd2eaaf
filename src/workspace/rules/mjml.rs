//! Owns the rule `mjml`: an e-mail that cannot be laid out.
//!
//! **What it does.** Refuses MJML with elements or text where none may be, with a file to include that is
//! not there or includes itself, with more than 128 levels or 1 MiB; refuses HTML whose styles cannot be
//! put into its tags; warns of attributes that an element does not have.
//!
//! **Why.** The message would have no body, or look other than it is meant.
//!
//! **Example.**
//! ```html
//! <mj-section><mj-text>Hello</mj-text></mj-section>
//! ```
//! **Use instead.** The elements of MJML where they belong: a text is in a column, a column in a section.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

const CODE: &str = "mjml";

pub(crate) fn finding(span: Span, message: &str, is_doubt: bool, help: Option<String>) -> Finding {
    let finding = if is_doubt {
        Finding::warning(CODE, span, message)
    } else {
        Finding::error(CODE, span, message)
    };
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}
