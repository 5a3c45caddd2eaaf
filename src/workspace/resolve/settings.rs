//! Owns reading the daemon's settings.

use super::{import_settings, webhooks};
use crate::domain::daemon_settings::{DaemonSettings, RequestRate, Retention, SiteSettings};
use crate::domain::gateway::Secretive;
use crate::workspace::diagnostic::Report;
use crate::workspace::document::settings::{ApiDoc, SettingsDoc, SiteDoc};
use crate::workspace::documents::Doc;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Opt, Own as _};

/// The shortest key of links, in characters.
const SHORTEST_SECRET: usize = 32;
const MOST_REQUESTS: u32 = 100_000;

pub(crate) fn settings(documents: &[Doc<SettingsDoc>], report: &mut Report) -> DaemonSettings {
    let defaults = DaemonSettings::default();
    let Some(doc) = documents.first().map(|doc| &doc.written) else {
        return defaults;
    };
    check(doc.database.as_ref(), database, report);
    check(doc.listen.as_ref(), listen, report);
    check(doc.public_url.as_ref(), url, report);
    check(doc.link_secret.as_ref(), secret, report);
    let text = |value: &Opt<String>| value.own().map(Secretive);
    let kept = doc.retention.as_ref();
    DaemonSettings {
        database: text(&doc.database).unwrap_or(defaults.database),
        listen: text(&doc.listen).unwrap_or(defaults.listen),
        public_url: doc
            .public_url
            .as_ref()
            .map(|url| Secretive(url.trim_end_matches('/').to_owned())),
        zone: doc
            .zone
            .as_ref()
            .map_or(defaults.zone, |zone| zone.0.clone()),
        retention: Retention {
            interactions: kept
                .and_then(|kept| kept.interactions.own())
                .map(|span| span.0),
            interaction_ids: kept
                .and_then(|kept| kept.interaction_ids.own())
                .map(|span| span.0),
            dispatches: kept
                .and_then(|kept| kept.dispatches.own())
                .map(|span| span.0),
            reports: doc
                .reports
                .as_ref()
                .and_then(|reports| reports.keep.own())
                .map(|span| span.0),
        },
        link_secret: text(&doc.link_secret),
        api: rate(doc.api.as_ref(), report),
        imports: import_settings::imports(doc.imports.as_ref(), report),
        site: doc.site.as_ref().map(|site| self::site(site, report)),
        webhooks: webhooks::webhooks(&doc.webhooks, report),
    }
}

fn site(doc: &SiteDoc, report: &mut Report) -> SiteSettings {
    for origin in &doc.origins {
        check(Some(origin), self::origin, report);
    }
    check(doc.identify_secret.as_ref(), identify_secret, report);
    let yes = |written: &Opt<bool>| written.own().unwrap_or_default();
    SiteSettings {
        origins: doc
            .origins
            .iter()
            .map(|origin| origin.value.clone())
            .collect(),
        rate: requests((&doc.rate, &doc.burst), SiteSettings::RATE, report),
        keep_address: yes(&doc.keep_address),
        behind_proxy: yes(&doc.behind_proxy),
        identify_secret: doc.identify_secret.own().map(Secretive),
    }
}

fn rate(doc: Option<&ApiDoc>, report: &mut Report) -> RequestRate {
    let defaults = RequestRate::default();
    match doc {
        Some(doc) => requests((&doc.rate, &doc.burst), defaults, report),
        None => defaults,
    }
}

fn requests(
    (rate, burst): (&Opt<u32>, &Opt<u32>),
    defaults: RequestRate,
    report: &mut Report,
) -> RequestRate {
    let mut some = |written: &Opt<u32>, default: u32| {
        let Some(value) = written else { return default };
        if !(1..=MOST_REQUESTS).contains(&**value) {
            let expected = "a rate must be between 1 and 100000 requests";
            report.add(bad_value::finding(value.span, expected));
        }
        **value
    };
    RequestRate {
        per_second: some(rate, defaults.per_second),
        burst: some(burst, defaults.burst),
    }
}

/// Checks a written value; a reference is checked when it is read.
fn check(
    value: Option<&At<String>>,
    test: fn(&str) -> Result<(), &'static str>,
    report: &mut Report,
) {
    let Some(value) = value.filter(|value| !value.contains("${")) else {
        return;
    };
    if let Err(expected) = test(value) {
        report.add(bad_value::finding(value.span, expected));
    }
}

fn database(text: &str) -> Result<(), &'static str> {
    let schemes = ["sqlite://", "postgres://", "postgresql://"];
    let mut rests = schemes
        .iter()
        .filter_map(|scheme| text.strip_prefix(scheme));
    let fits = rests.any(|rest| !rest.is_empty());
    fits.then_some(())
        .ok_or("the database must be `sqlite://PATH` or `postgres://USER@HOST/DATABASE`")
}

fn listen(text: &str) -> Result<(), &'static str> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let fits = text == "off" || (!host.is_empty() && port.parse::<u16>().is_ok());
    fits.then_some(())
        .ok_or("`listen` must be `address:port`, such as `127.0.0.1:8080`, or `off`")
}

fn url(text: &str) -> Result<(), &'static str> {
    let fits = ["https://", "http://"].iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    fits.then_some(())
        .ok_or("`public-url` must begin with `https://`")
}

fn secret(text: &str) -> Result<(), &'static str> {
    is_long(text).ok_or("`link-secret` must have at least 32 characters")
}

fn identify_secret(text: &str) -> Result<(), &'static str> {
    is_long(text).ok_or("`identify-secret` must have at least 32 characters")
}

fn is_long(text: &str) -> Option<()> {
    (text.chars().count() >= SHORTEST_SECRET).then_some(())
}

/// As browsers write it (RFC 6454 §6.2): a scheme, a host, and a port unless it is the scheme's own.
fn origin(text: &str) -> Result<(), &'static str> {
    let mut schemes = ["https://", "http://"].into_iter();
    let host = schemes.find_map(|scheme| text.strip_prefix(scheme));
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    let fits = host.is_some_and(|host| !host.is_empty() && host.chars().all(allowed));
    fits.then_some(())
        .ok_or("an origin is written `https://HOST`, in small letters and without a path")
}
