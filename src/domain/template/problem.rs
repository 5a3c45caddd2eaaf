//! Owns what is wrong with a template's text, and where in it.

use std::ops::Range;

/// One thing wrong in a template or an expression. Positions are counted from 1 within its own
/// text, columns and lengths in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    pub message: String,
    pub line: u32,
    pub column: u32,
    pub length: u32,
    pub help: Option<String>,
}

impl TemplateProblem {
    /// A problem with the bytes `range` of `source`; a range outside of it points at the end.
    pub fn at(source: &str, range: &Range<usize>, message: impl Into<String>) -> Self {
        let start = source.floor_char_boundary(range.start.min(source.len()));
        let end = source.floor_char_boundary(range.end.clamp(start, source.len()));
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let marked = source[start..end].lines().next().unwrap_or_default();
        Self {
            message: message.into(),
            line: count(source[..start].matches('\n').count()) + 1,
            column: count(source[line_start..start].chars().count()) + 1,
            length: count(marked.chars().count()).max(1),
            help: None,
        }
    }

    #[must_use]
    pub fn helped(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
