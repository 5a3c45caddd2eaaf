//! Owns reading texts: by language, from template files, each checked as a template.

use std::collections::BTreeMap;

use super::bodies::{self, Form, Origin};
use super::context::Context;
use super::faults;
use crate::domain::communication::Localized;
use crate::workspace::document::texts::TextsDoc;
use crate::workspace::node::Span;
use crate::workspace::rules::{missing_language, missing_template, not_supported_yet};
use crate::workspace::spanned::At;

/// A body read from template files, and whether it is HTML.
pub(crate) struct FileBody {
    pub(crate) html: bool,
    pub(crate) texts: Localized,
}

/// Reads texts written in the YAML file.
pub(crate) fn inline(cx: &Context<'_>, written: &At<TextsDoc>, form: Form) -> Localized {
    let read = |(language, text, span)| {
        faults::check_inline(cx, text, span, form.is_html());
        (
            language,
            bodies::made(cx, form, text, Origin::Yaml(span)),
            span,
        )
    };
    let texts = each(written).into_iter().map(read).collect();
    localized(cx, written.span, texts)
}

/// Reads the files that `template:` names.
pub(crate) fn files(cx: &Context<'_>, written: &At<TextsDoc>) -> Option<FileBody> {
    let mut html = None;
    let mut texts = Vec::new();
    for (language, path, span) in each(written) {
        let (is_html, text) = file(cx, path, span)?;
        if *html.get_or_insert(is_html) != is_html {
            return cx.refuse(missing_template::kind(span, path));
        }
        texts.push((language, text, span));
    }
    Some(FileBody {
        html: html?,
        texts: localized(cx, written.span, texts),
    })
}

pub(crate) type Written<'a> = (Option<&'a At<String>>, &'a str, Span);

pub(crate) fn each(written: &At<TextsDoc>) -> Vec<Written<'_>> {
    match &written.value {
        TextsDoc::One(text) => vec![(None, text, written.span)],
        TextsDoc::ByLanguage(texts) => texts
            .iter()
            .map(|(language, text)| (Some(language), text.value.as_str(), text.span))
            .collect(),
    }
}

fn localized(
    cx: &Context<'_>,
    span: Span,
    texts: Vec<(Option<&At<String>>, String, Span)>,
) -> Localized {
    let mut by_language = BTreeMap::new();
    let mut first = None;
    for (language, text, _) in texts {
        let Some(language) = language else {
            return Localized::plain(text);
        };
        if !cx.policy.languages.is_empty() && !cx.policy.languages.contains(&language.value) {
            let known = &cx.policy.languages;
            cx.add(missing_language::unknown(language.span, language, known));
        }
        first.get_or_insert_with(|| text.clone());
        by_language.insert(language.value.clone(), text);
    }
    for language in &cx.policy.languages {
        if !by_language.contains_key(language) {
            cx.add(missing_language::missing(span, language));
        }
    }
    let preferred = cx
        .policy
        .languages
        .first()
        .and_then(|code| by_language.get(code));
    Localized {
        default: preferred.cloned().or(first).unwrap_or_default(),
        by_language,
    }
}

fn file(cx: &Context<'_>, path: &str, span: Span) -> Option<(bool, String)> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return cx.refuse(missing_template::outside(span, path));
    }
    let form = match path.rsplit('.').next().unwrap_or_default() {
        "html" | "htm" => Form::Html,
        "mjml" => Form::Mjml,
        "txt" => Form::Text,
        "md" => return cx.refuse(not_supported_yet::finding(span, "markdown")),
        _ => return cx.refuse(missing_template::kind(span, path)),
    };
    let path = path.trim_start_matches("./");
    let Some((number, file)) = cx.sources.named(&format!("flows/{path}")) else {
        let below = |file: &crate::workspace::source::SourceFile| {
            let name = file.name.strip_prefix("flows/")?;
            (!file.is_yaml()).then(|| name.to_owned())
        };
        let known: Vec<String> = cx
            .sources
            .all()
            .filter_map(|(_, file)| below(file))
            .collect();
        let known = known.iter().map(String::as_str);
        return cx.refuse(missing_template::finding(span, path, known));
    };
    // A template that is too large or not UTF-8 is told when the files are read.
    let text = std::str::from_utf8(&file.bytes).ok()?;
    faults::check_file(cx, number, text, form.is_html());
    let body = bodies::made(cx, form, text, Origin::File { number, path });
    Some((form.is_html(), body))
}
