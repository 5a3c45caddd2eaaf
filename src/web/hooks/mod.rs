//! Owns what the links in messages lead to: looking changes nothing, posting acts.

pub mod dismiss;
pub mod preferences;
pub mod unsubscribe;

mod choices;
mod one_click;
mod origin;
mod visit;
mod wording;
