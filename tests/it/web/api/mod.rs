//! Owns the tests of the API over real connections; every answer is compared with its description.

mod batch;
mod consent;
mod customers;
mod daemon;
mod defining;
mod definitions;
mod document;
mod editing;
mod history;
mod problems;
mod redefining;
mod repeats;
mod rig;
mod tokens;
