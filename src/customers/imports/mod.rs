//! Owns imports that people look at before they save them, and take back afterwards.

pub mod facts;
pub mod folder;
mod folder_files;
mod lines;
pub mod plan;
pub mod reject_lines;
mod reverting;
mod saving;
pub mod spool;
pub mod staging;
pub mod task;
pub mod work;
