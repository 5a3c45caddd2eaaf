//! Owns reading what becomes of files of customers.

use std::str::FromStr as _;

use croner::Cron;

use crate::domain::channel::Channel;
use crate::domain::daemon_settings::{ImportPattern, ImportSettings};
use crate::domain::import_plan::ImportPlan;
use crate::workspace::diagnostic::Report;
use crate::workspace::document::settings::{ImportFileDoc, ImportsDoc};
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::Own as _;

/// The settings; tags and fields are looked up when a file comes, since both may change before.
pub(super) fn imports(doc: Option<&ImportsDoc>, report: &mut Report) -> ImportSettings {
    let defaults = ImportSettings::default();
    let Some(doc) = doc else { return defaults };
    if let Some(folder) = doc.folder.as_ref().filter(|folder| !is_plain(folder)) {
        let expected = "the folder must be a plain path, such as `imports` or `/srv/imports`";
        report.add(bad_value::finding(folder.span, expected));
    }
    if let Some(nightly) = doc
        .nightly
        .as_ref()
        .filter(|cron| Cron::from_str(cron).is_err())
    {
        let expected = "`nightly` must be a cron expression, such as `0 2 * * *`";
        report.add(bad_value::finding(nightly.span, expected));
    }
    ImportSettings {
        folder: doc.folder.own(),
        settle: doc.settle.own().map_or(defaults.settle, |span| span.0),
        nightly: doc.nightly.own(),
        revertible: doc
            .revertible
            .own()
            .map_or(defaults.revertible, |span| span.0),
        files: doc.files.iter().map(pattern).collect(),
    }
}

fn is_plain(folder: &str) -> bool {
    let mut parts = folder.strip_prefix('/').unwrap_or(folder).split('/');
    !folder.is_empty() && parts.all(|part| !part.is_empty() && part != "." && part != "..")
}

fn pattern(doc: &ImportFileDoc) -> ImportPattern {
    let consents = doc.consents.as_ref().map(|consents| {
        [
            (Channel::Email, &consents.email),
            (Channel::Sms, &consents.sms),
            (Channel::Push, &consents.push),
        ]
    });
    let consents = consents.into_iter().flatten();
    let consents = consents.filter_map(|(channel, is)| Some((channel, is.as_ref()?.0)));
    let map = doc.map.0.iter();
    ImportPattern {
        pattern: doc.pattern.value.clone(),
        plan: ImportPlan {
            kind: doc.kind.as_ref().map(|word| word.0).unwrap_or_default(),
            delimiter: doc.delimiter.own(),
            encoding: doc.encoding.own(),
            skip_lines: doc.skip_lines.own().map_or(0, u64::from),
            sheet: doc.sheet.own(),
            map: map
                .map(|(column, field)| (column.value.clone(), field.value.clone()))
                .collect(),
            key: doc.key.own(),
            no_match: doc.no_match.as_ref().map(|word| word.0).unwrap_or_default(),
            several_match: doc
                .several_match
                .as_ref()
                .map(|word| word.0)
                .unwrap_or_default(),
            tags: doc.tags.iter().map(|tag| tag.value.clone()).collect(),
            consents: consents.collect(),
            list: doc.list.own(),
        },
    }
}
