//! Drumbeat walks customers through campaign flows that people write as YAML files.

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod channels;
pub mod cli;
pub mod clock;
pub mod customers;
pub mod daemon;
pub mod definitions;
pub mod domain;
pub mod engine;
pub mod settings;
pub mod simulation;
pub mod store;
pub mod web;
pub mod workspace;
