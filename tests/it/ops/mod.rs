//! Owns the tests of operation: status, explanations, pauses, the demo.

mod commands;
mod db;
mod demo;
mod desk;
