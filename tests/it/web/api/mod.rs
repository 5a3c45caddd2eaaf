//! Owns the tests of the API over real connections; every answer is compared with its description.

mod activities;
mod batch;
mod consent;
mod customers;
mod daemon;
mod definitions;
mod document;
mod editing;
mod history;
mod occurrences;
mod problems;
mod repeats;
mod rig;
mod tokens;
