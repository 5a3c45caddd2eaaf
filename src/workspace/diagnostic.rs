//! Owns what is said about the files: a severity, a code, a place, a message, and what to do.

use serde::Serialize;

use super::node::Span;
use crate::domain::near::near;

/// Whether the files can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong (or doubtful) in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The name of the page under `docs/rules/`.
    pub code: &'static str,
    /// Relative to the workspace, with `/`.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    pub message: String,
    pub help: Option<String>,
    /// The bytes of `file` to underline, and other places with what they are.
    #[serde(skip)]
    pub(crate) span: Span,
    #[serde(skip)]
    pub(crate) also: Vec<(Span, String)>,
}

/// A diagnostic before its file, line and column are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) also: Vec<(Span, String)>,
}

impl Finding {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            span,
            message: message.into(),
            help: None,
            also: Vec::new(),
        }
    }

    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place and what it is.
    pub(crate) fn also(mut self, span: Span, what: impl Into<String>) -> Self {
        self.also.push((span, what.into()));
        self
    }
}

/// Everything found in one pass.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

/// "did you mean `x`?", else what there is.
pub(crate) fn suggestion<'a>(
    wrong: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = near(wrong, known.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    if known.is_empty() {
        return format!("there are no {what} yet");
    }
    let shown: Vec<String> = known
        .iter()
        .take(16)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if known.len() > 16 { ", …" } else { "" };
    format!("{what}: {}{more}", shown.join(", "))
}
