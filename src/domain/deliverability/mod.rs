//! Owns what keeps e-mails from arriving, or from being read.

pub mod answers;
pub mod contents;
mod dkim;
mod dmarc;
pub mod domains;
mod spf;
mod spf_walk;

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

/// The tags of a record of DKIM or DMARC in their order (RFC 6376 §3.2); none, when it is no list of tags.
fn tags(record: &str) -> Option<Vec<(&str, &str)>> {
    let parts = record.split(';').map(str::trim);
    let tags = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim(), value.trim()))
    });
    tags.collect()
}

fn tag<'a>(tags: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    let found = tags.iter().find(|(one, _)| *one == name);
    found.map(|(_, value)| *value)
}
