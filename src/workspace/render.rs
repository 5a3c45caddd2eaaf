//! Owns showing diagnostics: to people, to programs, and as annotations of GitHub.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Severity};
use super::node::Span;
use super::source::Sources;

/// A person reads no more than this at once; `json` and `github` hold all.
const MOST_SHOWN: usize = 200;
/// How much of a line is shown after the place, in bytes: a line may be endless.
const LONGEST_REST: usize = 200;

/// Each diagnostic (at most 200) with its source line underlined, and a count at the end. `colors`: ANSI escapes.
pub fn text(sources: &Sources, diagnostics: &[Diagnostic], colors: bool) -> String {
    let renderer = if colors {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut shown = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        shown.push_str(&one(sources, diagnostic, &renderer));
        shown.push_str("\n\n");
    }
    if let Some(more) = diagnostics
        .len()
        .checked_sub(MOST_SHOWN)
        .filter(|more| *more > 0)
    {
        let _written = write!(shown, "and {more} more\n\n");
    }
    shown.push_str(&summary(diagnostics));
    shown.push('\n');
    shown
}

fn one(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let excerpts: Vec<Excerpt<'_>> = std::iter::once((diagnostic.span, None))
        .chain(
            diagnostic
                .also
                .iter()
                .map(|(span, what)| (*span, Some(what.as_str()))),
        )
        .filter_map(|(span, what)| Excerpt::of(sources, span, what))
        .collect();
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .elements(excerpts.iter().map(Excerpt::snippet));
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let report: &[Group<'_>] = &[group];
    renderer.render(report)
}

/// One line of a file and the part of it to underline.
struct Excerpt<'a> {
    file: &'a str,
    line: usize,
    text: String,
    range: Range<usize>,
    what: Option<&'a str>,
}

impl<'a> Excerpt<'a> {
    fn of(sources: &'a Sources, span: Span, what: Option<&'a str>) -> Option<Self> {
        let file = sources.file(span.file)?;
        let source = std::str::from_utf8(&file.bytes).unwrap_or_default();
        let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
        let start = floor(source, whole(span.start).min(source.len()));
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |length| start + length);
        let from = line_start;
        let to = floor(source, line_end.min(start + LONGEST_REST));
        let end = floor(source, whole(span.end).clamp(start, to));
        let text = source[from..to].to_owned();
        let first = source[start..to].chars().next().map_or(0, char::len_utf8);
        let (line, _) = file.position(span.start);
        Some(Self {
            file: &file.name,
            line: whole(line),
            range: (start - from)..(end - from).max(start - from + first),
            text,
            what,
        })
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let kind = match self.what {
            Some(_) => AnnotationKind::Context,
            None => AnnotationKind::Primary,
        };
        Snippet::source(self.text.as_str())
            .line_start(self.line)
            .path(self.file)
            .annotation(kind.span(self.range.clone()).label(self.what))
    }
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

/// `2 errors, 1 warning`, or that nothing is wrong.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        let of = diagnostics.iter().filter(|d| d.severity == severity);
        of.count()
    };
    let noun = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "no errors".to_owned(),
        (errors, 0) => noun(errors, "error"),
        (0, warnings) => format!("no errors, {}", noun(warnings, "warning")),
        (errors, warnings) => {
            format!("{}, {}", noun(errors, "error"), noun(warnings, "warning"))
        }
    }
}

/// `{ok, diagnostics: [{severity, code, file, line, column, message, help}]}`.
pub fn json(diagnostics: &[Diagnostic]) -> Value {
    let ok = diagnostics.iter().all(|d| d.severity != Severity::Error);
    json!({ "ok": ok, "diagnostics": diagnostics })
}

/// One workflow command a line, which GitHub shows beside the changed line.
///
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let help = diagnostic.help.as_deref();
        let help = help.map(|help| format!("\n{help}")).unwrap_or_default();
        let _written = writeln!(
            lines,
            "::{level} file={},line={},col={},title={}::{}",
            property(&diagnostic.file),
            diagnostic.line,
            diagnostic.column,
            diagnostic.code,
            data(&format!("{}{help}", diagnostic.message)),
        );
    }
    lines
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_escape_what_would_end_them() {
        assert_eq!(property("a:b,c\nd%"), "a%3Ab%2Cc%0Ad%25");
    }
}
