//! Owns what keeps e-mails from arriving, or from being read.

pub mod contents;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Large receivers refuse such messages, or file them as spam.
    Error,
    /// It works worse than it could.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    pub severity: Severity,
    /// What it is about: a file, or a step as `flow/step`.
    pub about: String,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Remark {
    pub fn error(
        about: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            about: about.into(),
            message: message.into(),
            help: help.into(),
        }
    }

    pub fn warning(
        about: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(about, message, help)
        }
    }
}
