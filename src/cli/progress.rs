//! Owns the progress bar of long commands: on a terminal only, and on stderr.

use indicatif::{ProgressBar, ProgressStyle};

use super::columns::counted;
use crate::customers::reading::Seen;

const TEMPLATE: &str = "{bar:32} {percent:>3}%  {msg}  {elapsed} gone, {eta} to go";

pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Draws nothing unless stderr is a terminal.
    pub(crate) fn new() -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: ProgressBar::new(0).with_style(style),
        }
    }

    pub(crate) fn show(&self, seen: Seen) {
        let rows = format!("{} rows", counted(seen.rows));
        self.at(seen.bytes, seen.total_bytes, rows);
    }

    pub(crate) fn at(&self, place: u64, of: u64, words: String) {
        self.bar.set_length(of);
        self.bar.set_position(place);
        self.bar.set_message(words);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
