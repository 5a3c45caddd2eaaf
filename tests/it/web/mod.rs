//! Owns the tests of HTTP over a real store and real connections.

mod api;
mod collect;
mod dismiss;
mod hooks;
mod mails;
mod preferences;
mod probes;
mod rules;
mod site;
mod snippet;
mod unsubscribe;
mod workspace;
