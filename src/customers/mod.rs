//! Owns what people and files do to customers; every write says who made it and by which way.

pub mod delimiter;
pub mod encoding;
pub mod error;
pub mod facts;
pub mod import;
pub mod lines;
pub mod mapping;
pub mod merging;
pub mod named_rows;
pub mod names;
pub mod notes;
pub mod overview;
pub mod person;
pub mod profiles;
pub mod ratings;
pub mod reading;
pub mod rejects;
pub mod rows;
pub mod statuses;
pub mod subscriptions;
pub mod table;
pub mod tasks;
pub mod typing;
pub mod window;
