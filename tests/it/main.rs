//! Everything that is not pure, in one binary.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails right there"
)]

mod channels;
mod chaos;
mod customers;
mod daemon;
mod engine;
mod mission;
mod nodes;
mod ops;
mod packaging;
mod postgres;
mod readme;
mod rig;
mod scenarios;
mod store;
mod systemd;
mod tidy;
mod web;
mod workspace;
