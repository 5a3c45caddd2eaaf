//! Owns the tests of customers: files and people change them, on real stores.

mod bank;
mod commands;
mod consent;
mod giving_up;
mod import;
mod life;
mod lines;
mod profiles;
mod table;
