//! Owns reading the daemon's settings.

use super::import_settings;
use crate::domain::daemon_settings::{DaemonSettings, RequestRate, Retention};
use crate::domain::gateway::Secretive;
use crate::workspace::diagnostic::Report;
use crate::workspace::document::settings::{ApiDoc, SettingsDoc};
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
            dispatches: kept
                .and_then(|kept| kept.dispatches.own())
                .map(|span| span.0),
        },
        link_secret: text(&doc.link_secret),
        api: rate(doc.api.as_ref(), report),
        imports: import_settings::imports(doc.imports.as_ref(), report),
    }
}

fn rate(doc: Option<&ApiDoc>, report: &mut Report) -> RequestRate {
    let defaults = RequestRate::default();
    let Some(doc) = doc else { return defaults };
    let mut some = |written: &Opt<u32>, default: u32| {
        let Some(value) = written else { return default };
        if !(1..=MOST_REQUESTS).contains(&**value) {
            let expected = "a rate must be between 1 and 100000 requests";
            report.add(bad_value::finding(value.span, expected));
        }
        **value
    };
    RequestRate {
        per_second: some(&doc.rate, defaults.per_second),
        burst: some(&doc.burst, defaults.burst),
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
    let long = text.chars().count() >= SHORTEST_SECRET;
    long.then_some(())
        .ok_or("`link-secret` must have at least 32 characters")
}
