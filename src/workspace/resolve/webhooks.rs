//! Owns reading which places of others are told what happens.

use crate::domain::gateway::Secretive;
use crate::domain::network::{BadNetwork, Network};
use crate::domain::webhook::{Event, Webhook, key};
use crate::workspace::diagnostic::Report;
use crate::workspace::document::settings::WebhookDoc;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Named, Own as _};

pub(super) fn webhooks(doc: &Named<WebhookDoc>, report: &mut Report) -> Vec<Webhook> {
    let named = doc.0.iter();
    named
        .map(|(name, doc)| webhook(name, doc, report))
        .collect()
}

fn webhook(name: &At<String>, doc: &WebhookDoc, report: &mut Report) -> Webhook {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if name.is_empty() || !name.chars().all(allowed) {
        let expected = "a webhook's name has small letters, digits, `-`, `_` and `.`";
        report.add(bad_value::finding(name.span, expected));
    }
    url(doc, report);
    for secret in [Some(&doc.secret), doc.former_secret.as_ref()] {
        let Some(secret) = secret.filter(|secret| !secret.contains("${")) else {
            continue;
        };
        if let Err(bad) = key(secret) {
            report.add(bad_value::finding(secret.span, bad.to_string()));
        }
    }
    let networks = doc.allow_networks.iter();
    Webhook {
        name: name.value.clone(),
        url: Secretive(doc.url.value.clone()),
        secret: Secretive(doc.secret.value.clone()),
        former_secret: doc.former_secret.own().map(Secretive),
        events: events(&doc.events, report),
        allow_networks: networks.filter_map(|text| network(text, report)).collect(),
    }
}

fn url(doc: &WebhookDoc, report: &mut Report) {
    let is_plain = doc.url.starts_with("http://");
    let expected = if is_plain && doc.allow_networks.is_empty() {
        "without TLS only a network of your own is told: write `https://`, or name the network in \
         `allow-networks`"
    } else if is_plain || doc.url.starts_with("https://") || doc.url.starts_with("${") {
        return;
    } else {
        "the URL of a webhook must begin with `https://`"
    };
    report.add(bad_value::finding(doc.url.span, expected));
}

/// Each once.
fn events(written: &[At<String>], report: &mut Report) -> Vec<Event> {
    let mut events = Vec::new();
    for name in written {
        if let Some(event) = Event::parse(name) {
            events.push(event);
        } else {
            let known: Vec<String> = Event::all().map(Event::name).collect();
            let known = known.iter().map(String::as_str);
            report.add(bad_value::word(name.span, "an event", name, known));
        }
    }
    events.sort_unstable();
    events.dedup();
    events
}

fn network(text: &At<String>, report: &mut Report) -> Option<Network> {
    let network: Result<Network, BadNetwork> = text.parse();
    match network {
        Ok(network) => Some(network),
        Err(bad) => {
            report.add(bad_value::finding(text.span, bad.to_string()));
            None
        }
    }
}
