//! Owns the rule `forbidden-action`: an action that only works while the customer looks at a page.
//!
//! **What it does.** Refuses on-screen messages (also popups and banners), data-capture forms and
//! `DocuSign` as a step, also when the step reuses a campaign's communication of that kind.
//!
//! **Why.** A flow sends at times of its own, while nobody is on the page; such an action would never be seen.
//!
//! **Example.**
//! ```yaml
//! steps:
//!   - id: offer
//!     on-screen: { note: Gold card }
//! ```
//! **Use instead.** Configure it in a standard campaign funnel; in a flow use `email`, `sms` or `push`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

/// The kinds of communications that a flow can never send, and what people call them.
const FORBIDDEN: [(&str, &str); 6] = [
    ("on-screen", "an on-screen message"),
    ("popup", "an on-screen message"),
    ("banner", "an on-screen message"),
    ("form", "a data-capture form"),
    ("data-capture", "a data-capture form"),
    ("docusign", "a DocuSign integration"),
];

const HELP: &str =
    "configure it in a standard campaign funnel instead; a flow sends `email`, `sms` and `push`";

fn called(name: &str) -> Option<&'static str> {
    let found = FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == name);
    found.map(|(_, what)| *what)
}

/// For an unknown key of a flow that names such an action.
pub(crate) fn as_key(kind: Kind, key: &Node) -> Option<Finding> {
    let name = key.text().filter(|_| kind == Kind::Flow)?;
    let message = format!("{} (`{name}`) cannot be a step of a flow", called(name)?);
    Some(Finding::error("forbidden-action", key.span, message).help(HELP))
}

/// For a step that reuses a communication; `kind` is its first key.
pub(crate) fn reused(span: Span, name: &str, kind: &str, defined: Span) -> Option<Finding> {
    let what = called(kind)?;
    let message = format!("`{name}` is {what}, which cannot be a step of a flow");
    Some(
        Finding::error("forbidden-action", span, message)
            .help(HELP)
            .also(defined, "defined here"),
    )
}
