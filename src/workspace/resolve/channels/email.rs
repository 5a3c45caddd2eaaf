//! Owns reading what a channel says about e-mails.

use secrecy::ExposeSecret as _;

use crate::domain::channel::Channel;
use crate::domain::dkim::{DkimKey, dns_name};
use crate::domain::gateway::{Dkim, EmailRules, Returns, Secretive};
use crate::domain::lmtp_place::LmtpPlace;
use crate::domain::return_path::ReturnAddress;
use crate::workspace::document::channel::{ChannelDoc, DkimDoc, ReturnsDoc};
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Opt};

pub(super) fn read(cx: &Context<'_>, doc: &ChannelDoc, channel: Channel) -> EmailRules {
    let written = [
        ("dkim", doc.dkim.as_ref().map(|at| at.span)),
        ("returns", doc.returns.as_ref().map(|at| at.span)),
    ];
    if channel != Channel::Email {
        for (key, span) in written {
            if let Some(span) = span {
                let message =
                    format!("`{key}` is a key of the channel `email`, not of `{channel}`");
                cx.add(bad_value::finding(span, message));
            }
        }
        return EmailRules::default();
    }
    EmailRules {
        dkim: doc.dkim.as_ref().map(|dkim| signature(cx, dkim)),
        returns: doc.returns.as_ref().map(|returns| back(cx, returns)),
    }
}

fn signature(cx: &Context<'_>, doc: &DkimDoc) -> Dkim {
    for (key, name) in [("domain", &doc.domain), ("selector", &doc.selector)] {
        if !is_open(name) && dns_name(name).is_none() {
            let message = format!("`{key}`: `{}` is not a DNS name", name.value);
            cx.add(bad_value::finding(name.span, message));
        }
    }
    key(cx, &doc.key);
    let own = |text: &At<String>| Secretive(text.value.clone());
    Dkim {
        domain: own(&doc.domain),
        selector: own(&doc.selector),
        key: own(&doc.key),
    }
}

/// A key that is known here is read; one that is known to the daemon alone is read when it starts.
fn key(cx: &Context<'_>, written: &At<String>) {
    if !is_open(written) {
        let message = "`key` is a private key: it does not stand in a file that others read";
        let finding = bad_value::finding(written.span, message);
        cx.add(finding.help("write `${credential:dkim}`, and give the daemon the key as PEM"));
        return;
    }
    if let Some(pem) = cx.reveal(written)
        && let Err(why) = DkimKey::read(pem.expose_secret())
    {
        let message = format!("`key` cannot sign: {why}");
        let finding = bad_value::finding(written.span, message);
        cx.add(
            finding.help(
                "make one with `openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048`",
            ),
        );
    }
}

fn back(cx: &Context<'_>, doc: &ReturnsDoc) -> Returns {
    if !is_open(&doc.address)
        && let Err(why) = ReturnAddress::new(&doc.address)
    {
        cx.add(bad_value::finding(doc.address.span, why.to_string()));
    }
    if let Some(place) = &doc.lmtp
        && !is_open(place)
        && let Err(why) = LmtpPlace::read(place)
    {
        cx.add(bad_value::finding(place.span, why.to_string()));
    }
    let own = |text: &Opt<String>| text.as_ref().map(|text| Secretive(text.value.clone()));
    Returns {
        address: Secretive(doc.address.value.clone()),
        lmtp: own(&doc.lmtp),
        maildir: own(&doc.maildir),
    }
}

/// Whether it is known only where the references are.
fn is_open(text: &str) -> bool {
    text.contains("${")
}
