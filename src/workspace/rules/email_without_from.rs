//! Owns the rule `email-without-from`: an e-mail channel that does not say who writes.
//!
//! **What it does.** Refuses a document `channel: email` without `from`, and a `from` that is no address.
//!
//! **Why.** No relay takes a message without a sender.
//!
//! **Example.**
//! ```yaml
//! channel: email
//! gateway: { smtp: { host: localhost } }
//! ```
//! **Use instead.** Add `from: "Lakeside Credit Union <hello@lakeside.example>"`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

const HELP: &str = "write `from: \"Name <address@example.com>\"`";

pub(crate) fn missing(span: Span) -> Finding {
    Finding::error("email-without-from", span, "the e-mail channel has no `from`").help(HELP)
}

/// Checks a written sender; a reference is checked when it is read.
pub(crate) fn check(span: Span, from: &str) -> Result<(), Finding> {
    if from.contains("${") || from.parse::<email_address::EmailAddress>().is_ok() {
        return Ok(());
    }
    Err(Finding::error(
        "email-without-from",
        span,
        format!("`{from}` is not a sender's address"),
    )
    .help(HELP))
}
