//! Owns the checks of a gateway that writes to browsers.

use crate::domain::gateway::WebpushGateway;
use crate::domain::network::Network;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::At;

pub(super) fn check(cx: &Context<'_>, doc: &At<WebpushGateway>) {
    let subject = &doc.subject.0;
    let begins = ["mailto:", "https:", "${"];
    if !begins.iter().any(|begin| subject.starts_with(begin)) {
        let message = "`subject` must begin with `mailto:` or `https:`";
        cx.add(bad_value::finding(doc.span, message));
    }
    for text in &doc.allow_networks {
        if let Err(error) = text.parse::<Network>() {
            let message = format!("`allow-networks`: `{text}`: {error}");
            cx.add(bad_value::finding(doc.span, message));
        }
    }
}
