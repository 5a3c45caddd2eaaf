//! Owns the tests of HTTP over a real store and real connections.

mod api;
mod dismiss;
mod preferences;
mod probes;
mod rules;
mod site;
mod unsubscribe;
mod workspace;
