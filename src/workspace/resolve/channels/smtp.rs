//! Owns reading a mail relay.

use std::collections::BTreeMap;

use crate::domain::gateway::{DomainLimit, Secretive, SmtpGateway, SmtpSecurity};
use crate::workspace::document::channel::{DomainDoc, SmtpDoc};
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Named, Own as _};

pub(super) fn read(cx: &Context<'_>, doc: &SmtpDoc) -> SmtpGateway {
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
        domains: domains(cx, &doc.domains),
    }
}

fn domains(cx: &Context<'_>, docs: &Named<DomainDoc>) -> BTreeMap<String, DomainLimit> {
    let limits = docs.0.iter().filter_map(|(name, doc)| {
        let limit = DomainLimit {
            connections: doc.connections.own(),
            pace: doc.pace.as_ref().map(|rate| rate.0.into()),
        };
        Some((domain(cx, name)?, limit))
    });
    limits.collect()
}

/// As it stands in an address on the wire (RFC 5891).
fn domain(cx: &Context<'_>, name: &At<String>) -> Option<String> {
    if name.value == DomainLimit::OTHERS {
        return Some(name.value.clone());
    }
    let ascii = idna::domain_to_ascii_strict(&name.value).ok();
    let ascii = ascii.filter(|ascii| !ascii.is_empty());
    if ascii.is_none() {
        let message = format!("`{}` is not a domain", name.value);
        let help =
            "write what stands behind the `@`, such as `gmail.com`, or `*` for each other domain";
        cx.add(bad_value::finding(name.span, message).help(help));
    }
    ascii
}
