//! Owns the tests of the API over real connections; every answer is compared with its description.

mod batch;
mod consent;
mod customers;
mod daemon;
mod definitions;
mod document;
mod editing;
mod history;
mod imports;
mod problems;
mod repeats;
mod rig;
mod tokens;
