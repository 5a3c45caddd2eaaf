//! Owns what is wrong with markup, and where.

use std::ops::Range;

/// What is wrong with markup, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MarkupProblem {
    /// The included file that it is in; none: the text itself.
    pub(crate) file: Option<String>,
    /// In bytes.
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// It can be laid out all the same.
    pub(crate) is_doubt: bool,
}

impl MarkupProblem {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            file: None,
            range,
            message: message.into(),
            help: None,
            is_doubt: false,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
