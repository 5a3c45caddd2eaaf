//! Owns what is wrong with texts as templates, and where in the files that is.

use super::context::Context;
use crate::domain::template::{self, TemplateProblem};
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;
use crate::workspace::rules::{not_supported_yet, template as bad_template};

/// Reports what is wrong with a text that stands in a YAML file.
pub(super) fn check_inline(cx: &Context<'_>, text: &str, written: Span, is_html: bool) {
    for problem in template::check(text, is_html, &cx.model) {
        let span = within_yaml(cx, written, &problem);
        cx.add(reported(span, problem));
    }
}

/// Reports what is wrong with a file as a template; of one that several include, once.
pub(super) fn check_file(cx: &Context<'_>, number: u32, text: &str, is_html: bool) {
    for problem in template::check(text, is_html, &cx.model) {
        cx.add_once(reported(within_file(number, text, &problem), problem));
    }
}

fn reported(span: Span, problem: TemplateProblem) -> Finding {
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
pub(super) fn within_yaml(cx: &Context<'_>, written: Span, problem: &TemplateProblem) -> Span {
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

pub(super) fn span(file: u32, start: usize, length: usize) -> Span {
    let offset = |offset: usize| u32::try_from(offset).unwrap_or_default();
    Span {
        file,
        start: offset(start),
        end: offset(start + length),
    }
}
