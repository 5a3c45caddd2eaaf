//! Owns the tests of customers: files and people change them, on real stores.

mod bank;
pub(crate) mod book;
mod commands;
mod consent;
mod damaged;
mod defining;
mod doings;
mod dropping;
mod exporting;
mod finding;
mod giving_up;
mod import;
mod jobs;
mod json_lines;
mod killed;
mod life;
mod lines;
mod pages;
mod previewing;
mod profiles;
mod records;
mod redefining;
mod round_trip;
mod spreadsheets;
mod table;
mod uploading;
mod workbooks;
