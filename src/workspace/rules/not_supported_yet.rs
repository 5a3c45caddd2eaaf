//! Owns the rule `not-supported-yet`: a part of the language that this version does not execute.
//!
//! **What it does.** Refuses what the language describes and this version cannot do.
//!
//! **Why.** A flow that is carried out in part would surprise people; nothing is silently ignored.
//!
//! **Example.**
//! ```yaml
//! campaign: gold-card
//! communications:
//!   offer: { email: { subject: An offer, template: templates/offer.md } }
//! ```
//! **Use instead.** Leave it out, or what the message names.

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

pub(crate) const CODE: &str = "not-supported-yet";

/// Everything that is described and refused for now, and what to do instead.
pub(crate) const NOT_YET: &[(&str, &str)] = &[
    ("markdown", "write a `.mjml`, `.html` or `.txt` template"),
    ("list", "put the customers on a list with `drumbeat list put NAME --file FILE` and ask `where: { list: NAME }`"),
    ("link()", "write the URL itself"),
];

pub(crate) fn finding(span: Span, what: &str) -> Finding {
    let help = NOT_YET.iter().find(|(name, _)| *name == what);
    let finding = Finding::error(
        CODE,
        span,
        format!("`{what}` is not supported yet"),
    );
    match help {
        Some((_, help)) => finding.help(*help),
        None => finding,
    }
}

/// For a gateway that the language does not describe: an unknown key of a channel's `gateway`.
pub(crate) fn gateway(kind: Kind, parent: &str, key: &Node) -> Option<Finding> {
    let name = key.text()?;
    (kind == Kind::Channel && parent == "gateway").then(|| {
        let message = format!("the gateway `{name}` is not supported yet");
        Finding::error(CODE, key.span, message).help(
            "use `smtp`, `twilio`, `smpp`, `fcm`, `apns`, `webpush`, `file`, or `http`, by which most SMS and push gateways can be reached",
        )
    })
}
