//! Owns what the links in messages lead to, where looking changes nothing and posting acts, and what gateways
//! tell.

pub(super) mod dismiss;
pub(super) mod gateway;
pub(super) mod preferences;
pub(super) mod seen;
pub(super) mod unsubscribe;

mod choices;
mod misses;
mod one_click;
mod origin;
mod visit;
mod wording;

pub(super) use misses::Misses;
