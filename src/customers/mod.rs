//! Owns what people and files do to customers; every write says who made it and by which way.

pub mod delimiter;
pub mod encoding;
pub mod mapping;
pub mod names;
pub mod rejects;
pub mod table;
pub mod typing;
