//! Customers: files and people change them.

mod table;
