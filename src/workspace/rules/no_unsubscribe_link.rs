//! Owns the rule `no-unsubscribe-link`: a marketing e-mail that nobody can give up.
//!
//! **What it does.** Refuses a marketing e-mail with a body (HTML or text) that uses neither
//! `unsubscribe_url` nor `preferences_url`. Categories with `purpose: service` are exempt.
//!
//! **Why.** The law asks for it (16 CFR 316.5, Directive 2002/58/EC article 13), and so do the large mail providers.
//!
//! **Example.** A template without a footer.
//!
//! **Use instead.** `<a href="{{ unsubscribe_url }}">Unsubscribe</a>` in the HTML, `{{ unsubscribe_url }}` in the text.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, part: &str) -> Finding {
    Finding::error(
        "no-unsubscribe-link",
        span,
        format!("the {part} of this marketing e-mail has no unsubscribe link"),
    )
    .help("use `{{ unsubscribe_url }}` or `{{ preferences_url }}` in it")
}
