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
        self.bar.set_length(seen.total_bytes);
        self.bar.set_position(seen.bytes);
        self.bar.set_message(format!("{} rows", counted(seen.rows)));
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
