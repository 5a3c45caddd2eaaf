//! Owns where findings are: the file, line and column of each, in their order.

use super::diagnostic::{Diagnostic, Finding, Report};
use super::source::Sources;

/// Findings with their places, sorted by them.
pub(crate) fn located(sources: &Sources, report: Report) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = report
        .findings
        .into_iter()
        .map(|finding| locate(sources, finding))
        .collect();
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span, d.severity, d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
    diagnostics
}

fn locate(sources: &Sources, finding: Finding) -> Diagnostic {
    let file = sources.file(finding.span.file);
    let (line, column) = file.map_or((1, 1), |file| file.position(finding.span.start));
    Diagnostic {
        severity: finding.severity,
        code: finding.code,
        file: file.map(|file| file.name.clone()).unwrap_or_default(),
        line,
        column,
        message: visible(&finding.message),
        help: finding.help.map(|help| visible(&help)),
        span: finding.span,
        also: finding.also,
    }
}

/// A file's text may hold control characters, which a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
