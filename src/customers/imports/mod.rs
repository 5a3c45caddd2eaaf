//! Owns imports that people look at before they save them, and take back afterwards.

pub mod facts;
mod lines;
pub mod plan;
pub mod reject_lines;
mod reverting;
mod saving;
pub mod spool;
pub mod staging;
pub mod work;
