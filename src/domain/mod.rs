//! The pure core: what things are and what is decided about them. No I/O, no clock, no SQL, no YAML.

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
pub mod gateway;
pub mod ids;
pub mod interaction;
pub mod link;
pub mod message;
pub mod policy;
pub mod rating;
pub mod retry;
pub mod revision;
pub mod segment;
pub mod subscription;
pub mod value;
