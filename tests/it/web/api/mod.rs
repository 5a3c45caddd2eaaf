//! Owns the tests of the API over real connections; every answer is compared with its description.

mod activities;
mod batch;
mod consent;
mod customers;
mod daemon;
mod defining;
mod definitions;
mod document;
mod editing;
mod history;
mod imports;
mod jobs;
mod lists;
mod occurrences;
mod paging;
mod problems;
mod profiles;
mod redefining;
mod repeats;
mod reports;
mod rig;
mod schemathesis;
mod search;
mod tokens;
mod whole;
