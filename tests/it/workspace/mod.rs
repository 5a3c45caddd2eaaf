//! Owns the tests of the way from files to a revision.

mod command;
mod contents;
mod damaged;
mod differing;
mod email;
mod folder;
mod good;
mod layout;
mod made;
mod mistakes;
mod pages;
mod refused;
mod rules;
mod senders;
mod smpp;
mod sms;
mod table;
mod webhooks;
