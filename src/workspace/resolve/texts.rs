//! Owns reading texts: by language, from template files, each checked as a template.

use std::collections::BTreeMap;

use super::context::Context;
use crate::domain::communication::Localized;
use crate::domain::template::{self, TemplateProblem};
use crate::workspace::document::campaign::TextsDoc;
use crate::workspace::node::Span;
use crate::workspace::rules::{
    missing_language, missing_template, not_supported_yet, template as bad_template,
};
use crate::workspace::spanned::At;

/// A body read from template files, and whether it is HTML.
pub(crate) struct FileBody {
    pub(crate) html: bool,
    pub(crate) texts: Localized,
}

/// Reads texts written in the YAML file.
pub(crate) fn inline(cx: &Context<'_>, written: &At<TextsDoc>, html: bool) -> Localized {
    let texts = each(written);
    for (_, text, span) in &texts {
        for problem in template::check(text, html, &cx.model) {
            let span = within_yaml(cx, *span, &problem);
            cx.add(reported(span, problem));
        }
    }
    let texts = texts
        .into_iter()
        .map(|(language, text, span)| (language, text.to_owned(), span))
        .collect();
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

type Written<'a> = (Option<&'a At<String>>, &'a str, Span);

fn each(written: &At<TextsDoc>) -> Vec<Written<'_>> {
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
    let html = match path.rsplit('.').next().unwrap_or_default() {
        "html" | "htm" => true,
        "txt" => false,
        "mjml" => return cx.refuse(not_supported_yet::finding(span, "mjml")),
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
    for problem in template::check(text, html, &cx.model) {
        cx.add(reported(within_file(number, text, &problem), problem));
    }
    Some((html, text.to_owned()))
}

fn reported(span: Span, problem: TemplateProblem) -> crate::workspace::diagnostic::Finding {
    let mut finding = bad_template::finding(span, &problem.message, problem.help);
    if problem.message.contains("not supported yet") {
        finding.code = not_supported_yet::CODE;
    }
    finding
}

fn within_file(file: u32, text: &str, problem: &TemplateProblem) -> Span {
    let (start, length) = position(text, problem, problem.line);
    span(file, start, length)
}

/// The same place in the YAML file, where a text may be quoted, or an indented block.
fn within_yaml(cx: &Context<'_>, written: Span, problem: &TemplateProblem) -> Span {
    let source = cx.slice(written);
    let quote = usize::from(source.starts_with(['"', '\'']));
    if quote == 1 && source.contains('\n') {
        return written;
    }
    let before = cx.slice(Span {
        start: 0,
        end: written.start,
        ..written
    });
    let indentation = before.rsplit('\n').next().map_or(0, str::len);
    let (start, length) = position(&source[quote..], problem, problem.line);
    let start = start + if problem.line > 1 { indentation } else { quote };
    if start + length > source.len() {
        return written;
    }
    let offset = usize::try_from(written.start).unwrap_or_default();
    span(written.file, offset + start, length)
}

/// The bytes of a problem in a text; its column counts characters.
fn position(text: &str, problem: &TemplateProblem, line: u32) -> (usize, usize) {
    let whole = |number: u32| usize::try_from(number).unwrap_or_default();
    let before = whole(line.saturating_sub(1));
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let content = text[start..].split('\n').next().unwrap_or_default();
    let bytes = |text: &str, count| text.chars().take(count).map(char::len_utf8).sum::<usize>();
    let column = bytes(content, whole(problem.column.saturating_sub(1)));
    let length = bytes(&content[column..], whole(problem.length.max(1)));
    (start + column, length)
}

fn span(file: u32, start: usize, length: usize) -> Span {
    let offset = |offset: usize| u32::try_from(offset).unwrap_or_default();
    Span {
        file,
        start: offset(start),
        end: offset(start + length),
    }
}
