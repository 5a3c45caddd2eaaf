//! Owns the rule `missing-language`: a text that is not there in one of the policy's languages.
//!
//! **What it does.** Refuses a text written by language that lacks a language of `policy.languages`, or
//! has one that is not in it.
//!
//! **Why.** Customers of that language would read another one.
//!
//! **Example.**
//! ```yaml
//! subject: { en: Welcome }     # with languages: [en, es]
//! ```
//! **Use instead.** All languages of the policy, or one text for all.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::Span;

pub(crate) fn missing(span: Span, language: &str) -> Finding {
    Finding::error(
        "missing-language",
        span,
        format!("this text is missing in `{language}`"),
    )
    .help(format!("add `{language}:`, or write one text for all languages"))
}

pub(crate) fn unknown(span: Span, language: &str, known: &[String]) -> Finding {
    Finding::error(
        "missing-language",
        span,
        format!("`{language}` is not one of the policy's languages"),
    )
    .help(suggestion(language, "languages", known.iter().map(String::as_str)))
}
