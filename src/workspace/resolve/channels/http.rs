//! Owns reading a gateway that takes one HTTP request a message.

use serde::Deserialize;

use super::header::header;
use super::request::{address, snippet, texts};
use super::{lookup, receipts};
use crate::domain::duration::Delay;
use crate::domain::gateway::{HttpBody, HttpGateway, HttpInbound, Secretive, SuccessRule};
use crate::workspace::document::channel::{HttpDoc, InboundDoc};
use crate::workspace::node::Node;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::{bad_value, exactly_one};
use crate::workspace::spanned::{At, Own as _};

const METHODS: [&str; 4] = ["GET", "PATCH", "POST", "PUT"];

pub(super) fn read(cx: &Context<'_>, root: &Node, doc: &At<HttpDoc>) -> Option<HttpGateway> {
    let method = doc
        .method
        .as_ref()
        .map_or("POST", |method| method.value.as_str());
    if let Some(method) = doc
        .method
        .as_ref()
        .filter(|m| !METHODS.contains(&m.as_str()))
    {
        cx.add(bad_value::word(method.span, "`method`", method, METHODS));
    }
    address(cx, &doc.url);
    for (name, value) in &doc.headers.0 {
        header(cx, name);
        snippet(cx, value.span, value);
    }
    if let Some(name) = &doc.idempotency_header {
        header(cx, name);
    }
    if let Some(pointer) = doc
        .id_pointer
        .as_ref()
        .filter(|text| !text.starts_with('/'))
    {
        let message = "`id-pointer` is a JSON pointer: it begins with `/`, such as `/message/id`";
        cx.add(bad_value::finding(pointer.span, message));
    }
    if doc.receipts.is_none() {
        receipts::refuse_url(cx, root, doc.span);
    }
    let success = doc.success.as_ref();
    Some(HttpGateway {
        method: method.to_owned(),
        url: Secretive(doc.url.value.clone()),
        headers: texts(&doc.headers.0),
        body: body(cx, root, doc)?,
        success: SuccessRule {
            status: success
                .map(|rule| rule.status.iter().map(|status| status.value).collect())
                .unwrap_or_default(),
            body_contains: success
                .and_then(|rule| rule.body_contains.as_ref().map(|text| text.value.clone())),
        },
        id_pointer: doc.id_pointer.as_ref().map(|text| text.value.clone()),
        idempotency_header: doc
            .idempotency_header
            .as_ref()
            .map(|text| text.value.clone()),
        timeout: doc.timeout.own().map_or(Delay::seconds(30), |span| span.0),
        receipts: match &doc.receipts {
            Some(written) => {
                let told = receipts::read(cx, written, doc.id_pointer.is_some())?;
                Some(Box::new(told))
            }
            None => None,
        },
        inbound: doc.inbound.as_ref().map(|doc| Box::new(inbound(cx, doc))),
        lookup: lookup::of(cx, doc)?,
    })
}

fn inbound(cx: &Context<'_>, doc: &InboundDoc) -> HttpInbound {
    if let Some(name) = &doc.header {
        header(cx, name);
    }
    HttpInbound {
        secret: Secretive(doc.secret.value.clone()),
        header: doc.header.own(),
        from: doc.from.value.clone(),
        to: doc.to.own(),
        text: doc.text.value.clone(),
        id: doc.id.value.clone(),
    }
}

fn body(cx: &Context<'_>, root: &Node, doc: &At<HttpDoc>) -> Option<HttpBody> {
    match (&doc.json, &doc.form) {
        (Some(place), None) => {
            let node = root.find(place.0.0)?;
            node.walk(&mut |leaf| {
                if let Some(text) = leaf.text() {
                    snippet(cx, leaf.span, text);
                }
            });
            let json = serde_json::Value::deserialize(node).ok()?;
            Some(HttpBody::Json(json))
        }
        (None, Some(form)) => {
            for (_, value) in &form.0 {
                snippet(cx, value.span, value);
            }
            Some(HttpBody::Form(texts(&form.0)))
        }
        (json, _) => {
            let found = if json.is_some() { 2 } else { 0 };
            cx.refuse(exactly_one::finding(
                doc.span,
                "`http`",
                &["json", "form"],
                found,
            ))
        }
    }
}
