//! Drumbeat walks customers through campaign flows that people write as YAML files.

pub mod channels;
pub mod cli;
pub mod clock;
pub mod customers;
pub mod daemon;
pub mod domain;
pub mod engine;
pub mod settings;
pub mod store;
pub mod web;
pub mod workspace;
