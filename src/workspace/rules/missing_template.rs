//! Owns the rule `missing-template`: a template file that is not there, or not allowed.
//!
//! **What it does.** Refuses a `template` that names no file below `flows/`, leads out of it, or is
//! neither `.mjml` nor `.html` nor `.txt`.
//!
//! **Why.** The message would have no body.
//!
//! **Example.**
//! ```yaml
//! template: ../secret.html
//! ```
//! **Use instead.** A path relative to `flows/`, such as `templates/welcome.html`.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::node::Span;

pub(crate) fn finding<'a>(
    span: Span,
    path: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Finding {
    Finding::error(
        "missing-template",
        span,
        format!("there is no file `flows/{path}`"),
    )
    .help(suggestion(path, "templates, relative to `flows/`", known))
}

pub(crate) fn outside(span: Span, path: &str) -> Finding {
    Finding::error(
        "missing-template",
        span,
        format!("`{path}` leads out of `flows/`"),
    )
    .help("templates are below `flows/`; write the path from there")
}

pub(crate) fn kind(span: Span, path: &str) -> Finding {
    Finding::error(
        "missing-template",
        span,
        format!("`{path}` is neither a `.mjml` nor a `.html` nor a `.txt` file"),
    )
    .help("name the file by what is in it; all languages of one body are of the same kind")
}
