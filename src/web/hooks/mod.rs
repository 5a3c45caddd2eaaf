//! Owns what the links in messages lead to: looking changes nothing, posting acts.

pub(super) mod dismiss;
pub(super) mod preferences;
pub(super) mod seen;
pub(super) mod unsubscribe;

mod choices;
mod one_click;
mod origin;
mod visit;
mod wording;
