//! Everything that is not a unit test, in one binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod readme;
mod workspace;
