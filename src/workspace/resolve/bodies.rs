//! Owns what becomes of a body before it is kept: MJML is laid out, styles go into the tags.

use super::context::Context;
use super::faults;
use crate::domain::template::TemplateProblem;
use crate::workspace::markup::{self, Includes, MarkupProblem, Mjml};
use crate::workspace::node::Span;
use crate::workspace::rules::mjml;

/// In what a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Html,
    Mjml,
}

impl Form {
    pub(crate) fn is_html(self) -> bool {
        self != Self::Text
    }
}

/// Where a body is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Yaml(Span),
    /// A file below `flows/`.
    File {
        number: u32,
        path: &'a str,
    },
}

/// What stands for a body that cannot be laid out, which is reported: nothing more is asked of it.
pub(crate) const NOT_MADE: &str = "{# it cannot be laid out #}";

/// The body as it is kept.
pub(crate) fn made(cx: &Context<'_>, form: Form, text: &str, origin: Origin<'_>) -> String {
    let made = match form {
        Form::Text => Ok(text.to_owned()),
        Form::Html => markup::styled(text),
        Form::Mjml => laid_out(cx, text, origin),
    };
    made.unwrap_or_else(|problem| {
        report(cx, text, origin, problem);
        NOT_MADE.to_owned()
    })
}

fn laid_out(cx: &Context<'_>, text: &str, origin: Origin<'_>) -> Result<String, MarkupProblem> {
    let read = |path: &str| {
        let (_, text) = included(cx, origin, path)?;
        Some(text)
    };
    let includes = Includes::of(text, &read)?;
    for (path, text) in includes.files() {
        if let Some((number, _)) = included(cx, origin, path) {
            faults::check_file(cx, number, text, true);
        }
    }
    let Mjml { html, doubts } = markup::mjml(text, &includes)?;
    for doubt in doubts {
        report(cx, text, origin, doubt);
    }
    Ok(html)
}

/// A file by its path from the folder of the one that includes it.
fn included<'a>(cx: &Context<'a>, origin: Origin<'_>, path: &str) -> Option<(u32, &'a str)> {
    let folder = match origin {
        Origin::Yaml(_) => "",
        Origin::File { path, .. } => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let name = format!("flows/{folder}/{path}").replace("//", "/");
    let (number, file) = cx.sources.named(&name)?;
    Some((number, std::str::from_utf8(&file.bytes).ok()?))
}

fn report(cx: &Context<'_>, text: &str, origin: Origin<'_>, problem: MarkupProblem) {
    let (start, length) = (problem.range.start, problem.range.len());
    let elsewhere = problem.file.as_deref();
    let elsewhere = elsewhere.and_then(|path| included(cx, origin, path));
    let span = match (elsewhere, origin) {
        (Some((number, _)), _) | (None, Origin::File { number, .. }) => {
            faults::span(number, start, length)
        }
        (None, Origin::Yaml(written)) => {
            let problem = TemplateProblem::at(text, &problem.range, "");
            faults::within_yaml(cx, written, &problem)
        }
    };
    cx.add_once(mjml::finding(
        span,
        &problem.message,
        problem.is_doubt,
        problem.help,
    ));
}
