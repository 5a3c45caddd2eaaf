//! Owns what one mail that came back says, before it is known of which message.

use jiff::Timestamp;

use crate::domain::news::{Fate, Passed};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) fate: Fate,
    pub(super) at: Option<Timestamp>,
    /// On one short line.
    pub(super) detail: String,
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Slip(Slip),
    Passed(Passed),
}
