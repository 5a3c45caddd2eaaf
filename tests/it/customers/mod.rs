//! Owns the tests of customers: files and people change them, on real stores.

mod bank;
mod bombs;
mod book;
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
mod redefining;
mod round_trip;
mod table;
mod workbooks;
