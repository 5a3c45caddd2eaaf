//! Owns reading channels and their gateways.

mod email;
mod header;
mod http;
mod lookup;
mod push;
mod receipts;
mod reply;
mod request;
mod smpp;
mod sms;
mod smtp;
mod twilio;

use std::collections::BTreeMap;

use super::context::Context;
use crate::domain::channel::Channel;
use crate::domain::field::FieldType;
use crate::domain::gateway::{ChannelConfig, Gateway, RetryPolicy, Secretive};
use crate::domain::tracking::Tracking;
use crate::workspace::document::channel::{ChannelDoc, GatewayDoc, RetryDoc};
use crate::workspace::documents::Doc;
use crate::workspace::node::Span;
use crate::workspace::rules::{bad_value, email_without_from, exactly_one, unknown_field};
use crate::workspace::spanned::{At, Own as _};

/// Each transaction costs the same for few messages as for many, and takes at most as many as there are slots.
const SLOTS: u32 = 2048;
const SMTP_CONNECTIONS: u32 = 8;
const HTTP_REQUESTS: u32 = 32;
/// Providers count them.
const SMPP_SESSIONS: u32 = 1;

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
    if let Some(tracking) = &written.tracking {
        consented(cx, tracking);
    }
    let gateway = gateway(cx, doc)?;
    fits(cx, channel, &gateway, written.gateway.span);
    let connections = match gateway {
        Gateway::Smpp(_) => SMPP_SESSIONS,
        Gateway::Smtp(_) | Gateway::File(_) => SMTP_CONNECTIONS,
        _ => HTTP_REQUESTS,
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
        pace: written.pace.as_ref().map(|rate| rate.0.into()),
        retry: written.retry.as_ref().map(retry).unwrap_or_default(),
        tracking: written.tracking.own().unwrap_or_default(),
        email: email::read(cx, written, channel),
        sms: sms::read(cx, written, channel),
        replies: reply::read(cx, written.words.as_ref(), written.replies.as_ref()),
        on_uncertain: written.on_uncertain.as_ref().map(|word| word.0),
        slots: written.slots.own().unwrap_or(SLOTS),
        connections: written.connections.own().unwrap_or(connections),
    })
}

/// Mail goes by SMTP, SMS by HTTP or SMPP, push by HTTP or to devices; files take all.
fn fits(cx: &Context<'_>, channel: Channel, gateway: &Gateway, span: Span) {
    let needed = match (channel, gateway) {
        (_, Gateway::File(_)) | (Channel::Email, Gateway::Smtp(_)) => return,
        (Channel::Sms, Gateway::Http(_) | Gateway::Smpp(_) | Gateway::Twilio(_)) => return,
        (Channel::Push, Gateway::Http(_)) => return,
        (Channel::Push, gateway) if gateway.devices().is_some() => return,
        (Channel::Email, _) => "smtp",
        (Channel::Sms | Channel::Push, _) => "http",
    };
    let message = format!("the channel `{channel}` cannot use `{}`", gateway.kind());
    cx.add(bad_value::finding(span, message).help(format!("use `{needed}` or `file`")));
}

/// Who may be seen is asked of a field that says yes or no.
fn consented(cx: &Context<'_>, tracking: &At<Tracking>) {
    let Some(identifier) = &tracking.consent_field else {
        return;
    };
    if !cx.holds(unknown_field::check(cx.names, tracking.span, identifier)) {
        return;
    }
    let field = cx.model.field(identifier);
    if field.is_some_and(|field| field.kind != FieldType::Boolean) {
        let message = format!("`consent-field`: the field `{identifier}` is not of type `boolean`");
        cx.add(bad_value::finding(tracking.span, message));
    }
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

fn gateway(cx: &Context<'_>, doc: &Doc<ChannelDoc>) -> Option<Gateway> {
    let written: &At<GatewayDoc> = &doc.written.gateway;
    let kinds = written.kinds();
    let count = kinds.iter().filter(|(_, is_written)| *is_written).count();
    if count == 0 && !doc.whole {
        return None;
    }
    if count != 1 {
        let names = kinds.map(|(name, _)| name);
        return cx.refuse(exactly_one::finding(
            written.span,
            "`gateway`",
            &names,
            count,
        ));
    }
    if let Some(smtp) = &written.smtp {
        return Some(Gateway::Smtp(smtp::read(cx, smtp)));
    }
    if let Some(http) = &written.http {
        return http::read(cx, &doc.root, http).map(Gateway::Http);
    }
    if let Some(twilio) = &written.twilio {
        let twilio = twilio::read(cx, &doc.written, twilio);
        return Some(Gateway::Twilio(twilio));
    }
    if let Some(doc) = &written.smpp {
        return Some(Gateway::Smpp(Box::new(smpp::read(cx, doc))));
    }
    if let Some(fcm) = written.fcm.own() {
        return Some(Gateway::Fcm(fcm));
    }
    if let Some(apns) = written.apns.own() {
        return Some(Gateway::Apns(apns));
    }
    if let Some(doc) = &written.webpush {
        push::check(cx, doc);
        return Some(Gateway::Webpush(doc.value.clone()));
    }
    written.file.own().map(Gateway::File)
}
