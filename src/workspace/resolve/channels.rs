//! Owns reading channels and their gateways.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::context::Context;
use crate::domain::channel::Channel;
use crate::domain::duration::Delay;
use crate::domain::gateway::{
    ChannelConfig, FileGateway, Gateway, HttpBody, HttpGateway, Pace, RetryPolicy, Secretive,
    SmtpGateway, SmtpSecurity, SuccessRule,
};
use crate::domain::template::Snippets;
use crate::workspace::document::channel::{ChannelDoc, GatewayDoc, HttpDoc, RetryDoc, SmtpDoc};
use crate::workspace::documents::Doc;
use crate::workspace::node::{Node, Span};
use crate::workspace::rules::{
    bad_value, email_without_from, exactly_one, template, unknown_field,
};
use crate::workspace::spanned::{At, Own as _};

/// Each transaction costs the same for few messages as for many, and takes at most as many as there are slots.
const SLOTS: u32 = 2048;
const SMTP_CONNECTIONS: u32 = 8;
const HTTP_REQUESTS: u32 = 32;
const METHODS: [&str; 4] = ["GET", "PATCH", "POST", "PUT"];

pub(crate) fn channels(
    cx: &Context<'_>,
    documents: &[Doc<ChannelDoc>],
) -> BTreeMap<Channel, ChannelConfig> {
    documents
        .iter()
        .filter_map(|doc| channel(cx, doc))
        .map(|config| (config.channel, config))
        .collect()
}

fn channel(cx: &Context<'_>, doc: &Doc<ChannelDoc>) -> Option<ChannelConfig> {
    let written = &doc.written;
    let channel = written.channel.value.0;
    sender(cx, doc, channel);
    if let Some(field) = &written.address_field {
        cx.holds(unknown_field::check(cx.names, field.span, field));
    }
    let gateway = gateway(cx, &doc.root, &written.gateway, doc.whole)?;
    fits(cx, channel, &gateway, written.gateway.span);
    let connections = match gateway {
        Gateway::Http(_) => HTTP_REQUESTS,
        Gateway::Smtp(_) | Gateway::File(_) => SMTP_CONNECTIONS,
    };
    let address = match channel {
        Channel::Email => "email",
        Channel::Sms => "phone",
        Channel::Push => "id",
    };
    Some(ChannelConfig {
        channel,
        gateway,
        from: written.from.own().map(Secretive),
        reply_to: written.reply_to.own().map(Secretive),
        address_field: written
            .address_field
            .as_ref()
            .map_or_else(|| address.to_owned(), |field| field.value.clone()),
        pace: written.pace.as_ref().map(|rate| {
            let (messages, per_seconds) = rate.0;
            Pace {
                messages,
                per_seconds,
            }
        }),
        retry: written.retry.as_ref().map(retry).unwrap_or_default(),
        on_uncertain: written.on_uncertain.as_ref().map(|word| word.0),
        slots: written.slots.own().unwrap_or(SLOTS),
        connections: written.connections.own().unwrap_or(connections),
    })
}

/// Mail goes by SMTP, everything else by HTTP; files take all.
fn fits(cx: &Context<'_>, channel: Channel, gateway: &Gateway, span: Span) {
    let needed = match (channel, gateway) {
        (Channel::Email, Gateway::Http(_)) => "smtp",
        (Channel::Sms | Channel::Push, Gateway::Smtp(_)) => "http",
        _ => return,
    };
    let message = format!("the channel `{channel}` cannot use `{}`", gateway.kind());
    cx.add(bad_value::finding(span, message).help(format!("use `{needed}` or `file`")));
}

fn sender(cx: &Context<'_>, doc: &Doc<ChannelDoc>, channel: Channel) {
    if channel != Channel::Email {
        return;
    }
    match &doc.written.from {
        Some(from) => drop(cx.holds(email_without_from::check(from.span, from))),
        None if doc.root.get("from").is_none() => {
            cx.add(email_without_from::missing(doc.written.channel.span));
        }
        None => {}
    }
    if let Some(reply_to) = &doc.written.reply_to {
        cx.holds(email_without_from::check(reply_to.span, reply_to));
    }
}

fn retry(doc: &RetryDoc) -> RetryPolicy {
    let defaults = RetryPolicy::default();
    RetryPolicy {
        first: doc.first.own().map_or(defaults.first, |span| span.0),
        factor: doc
            .factor
            .as_ref()
            .map_or(defaults.factor, |factor| factor.value),
        max: doc.max.own().map_or(defaults.max, |span| span.0),
        give_up_after: doc
            .give_up_after
            .own()
            .map_or(defaults.give_up_after, |span| span.0),
    }
}

fn gateway(
    cx: &Context<'_>,
    root: &Node,
    written: &At<GatewayDoc>,
    whole: bool,
) -> Option<Gateway> {
    match (&written.smtp, &written.http, &written.file) {
        (Some(doc), None, None) => Some(Gateway::Smtp(smtp(doc))),
        (None, Some(doc), None) => http(cx, root, doc).map(Gateway::Http),
        (None, None, Some(doc)) => Some(Gateway::File(FileGateway {
            folder: doc.folder.value.clone(),
        })),
        (None, None, None) if !whole => None,
        (smtp, http, file) => {
            let found = [smtp.is_some(), http.is_some(), file.is_some()];
            let found = found.iter().filter(|there| **there).count();
            let kinds = ["smtp", "http", "file"];
            cx.refuse(exactly_one::finding(
                written.span,
                "`gateway`",
                &kinds,
                found,
            ))
        }
    }
}

fn smtp(doc: &SmtpDoc) -> SmtpGateway {
    let security = doc
        .security
        .as_ref()
        .map_or(SmtpSecurity::Starttls, |word| word.0);
    let port = match security {
        SmtpSecurity::Starttls => "587",
        SmtpSecurity::Tls => "465",
        SmtpSecurity::None => "25",
    };
    SmtpGateway {
        host: Secretive(doc.host.value.clone()),
        port: Secretive(
            doc.port
                .as_ref()
                .map_or_else(|| port.to_owned(), |port| port.0.clone()),
        ),
        security,
        username: doc.username.own().map(Secretive),
        password: doc.password.own().map(Secretive),
        ca_file: doc.ca_file.own().map(Secretive),
    }
}

fn http(cx: &Context<'_>, root: &Node, doc: &At<HttpDoc>) -> Option<HttpGateway> {
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
    })
}

/// A header's name is a token (RFC 9110 §5.6.2).
fn header(cx: &Context<'_>, name: &At<String>) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(fits) {
        let message = format!("`{}` is not the name of a header", name.value);
        cx.add(bad_value::finding(name.span, message));
    }
}

fn address(cx: &Context<'_>, url: &At<String>) {
    let begins = ["https://", "http://", "${"];
    if !begins.iter().any(|begin| url.starts_with(begin)) {
        cx.add(bad_value::finding(
            url.span,
            "`url` must begin with `https://`",
        ));
    }
    snippet(cx, url.span, url);
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

fn texts(entries: &[(At<String>, At<String>)]) -> BTreeMap<String, Secretive> {
    let pair = |(key, value): &(At<String>, At<String>)| {
        (key.value.clone(), Secretive(value.value.clone()))
    };
    entries.iter().map(pair).collect()
}

/// A text of a gateway is a template too.
fn snippet(cx: &Context<'_>, span: Span, text: &str) {
    if let Err(message) = Snippets::new([("text", text)]) {
        let message = message.trim_start_matches("`text`: ");
        cx.add(template::finding(span, message, None));
    }
}
