//! The pure core: what things are and what is decided about them. No I/O, no clock, no SQL, no YAML.

pub mod assignment;
pub mod audit;
pub mod calendar;
pub mod campaign;
pub mod channel;
pub mod communication;
pub mod customer;
pub mod daemon_settings;
pub mod dispatch;
pub mod duration;
pub mod enrollment;
pub mod field;
pub mod flow;
pub mod gate;
#[cfg(test)]
mod gate_tests;
pub mod gateway;
pub mod held;
pub mod ids;
pub mod interaction;
pub mod link;
pub mod message;
pub mod plain_text;
pub mod policy;
pub mod rating;
pub mod reason;
pub mod retry;
pub mod revision;
pub mod segment;
pub mod segment_words;
pub mod subscription;
pub mod template;
pub mod touched;
pub mod validation;
pub mod value;
