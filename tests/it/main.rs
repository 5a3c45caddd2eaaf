//! Everything that is not a unit test, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod channels;
mod customers;
mod rig;
mod store;
mod workspace;
