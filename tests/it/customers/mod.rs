//! Owns the tests of customers: files and people change them, on real stores.

mod bank;
mod bombs;
mod book;
mod commands;
mod consent;
mod damaged;
mod dropping;
mod exporting;
mod giving_up;
mod import;
mod json_lines;
mod life;
mod lines;
mod pages;
mod previewing;
mod profiles;
mod round_trip;
mod table;
mod workbooks;
