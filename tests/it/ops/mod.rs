//! Owns the tests of operation: status, explanations, pauses, the demo.

mod commands;
mod demo;
mod desk;
