//! Owns reading the texts of requests to an HTTP gateway: each is a template.

use std::collections::BTreeMap;

use crate::domain::gateway::Secretive;
use crate::domain::template::Snippets;
use crate::workspace::node::Span;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::{bad_value, template};
use crate::workspace::spanned::At;

pub(super) fn address(cx: &Context<'_>, url: &At<String>) {
    let begins = ["https://", "http://", "${"];
    if !begins.iter().any(|begin| url.starts_with(begin)) {
        cx.add(bad_value::finding(
            url.span,
            "`url` must begin with `https://`",
        ));
    }
    snippet(cx, url.span, url);
}

pub(super) fn texts(entries: &[(At<String>, At<String>)]) -> BTreeMap<String, Secretive> {
    let pair = |(key, value): &(At<String>, At<String>)| {
        (key.value.clone(), Secretive(value.value.clone()))
    };
    entries.iter().map(pair).collect()
}

/// A text of a gateway is a template too.
pub(super) fn snippet(cx: &Context<'_>, span: Span, text: &str) {
    if let Err(message) = Snippets::new([("text", text)]) {
        let message = message.trim_start_matches("`text`: ");
        cx.add(template::finding(span, message, None));
    }
}
