//! Owns the cells of one row of a file about what customers did or gave up, by their names.

use super::named_rows::NamedRows;
use super::names::UnknownName;
use super::table::Row;
use crate::domain::channel::Channel;
use crate::domain::interaction::Kind;

/// One row's texts by their names.
pub(super) struct Cells<'a> {
    pub(super) rows: &'a NamedRows,
    pub(super) row: &'a Row,
}

impl<'a> Cells<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.rows.cell(self.row, name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(super) fn kind(&self) -> Result<Kind, String> {
        let text = self.get("kind").ok_or("`kind` is empty")?;
        let known = || Kind::ALL.iter().filter(|kind| kind.can_be_imported());
        let kind = known().find(|kind| kind.as_str() == text);
        let unknown = || UnknownName::new("kind", text, known().map(|kind| kind.as_str()));
        kind.copied().ok_or_else(unknown).map_err(said)
    }

    pub(super) fn channel(&self) -> Result<Option<Channel>, String> {
        let Some(text) = self.get("channel") else {
            return Ok(None);
        };
        let known = Channel::ALL.map(Channel::as_str);
        let channel = Channel::parse(text).ok_or_else(|| UnknownName::new("channel", text, known));
        channel.map(Some).map_err(said)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn said(unknown: UnknownName) -> String {
    unknown.to_string()
}
