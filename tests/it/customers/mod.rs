//! Customers: files and people change them.

mod bank;
mod import;
mod table;
