//! Owns what people and files do to customers; every write says who made it and by which way.

pub mod batch;
pub mod delimiter;
pub mod edits;
pub mod encoding;
pub mod error;
pub mod facts;
pub mod import;
pub mod json_fields;
pub mod lines;
pub mod mapping;
pub mod named_rows;
pub mod names;
pub mod overview;
pub mod profiles;
pub mod reading;
pub mod rejects;
pub mod rows;
pub mod subscriptions;
pub mod table;
pub mod typing;
pub mod window;
