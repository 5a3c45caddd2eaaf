//! Owns HTTP: the pages that links in messages lead to, the API, and the probes.

pub mod server;
pub mod state;

mod api;
mod door;
mod error;
mod headers;
mod hooks;
mod language;
mod page;
mod probes;
mod routes;
mod site;

pub use door::{Door, Peer};
pub use server::serve;
pub use state::{Daemon, GatewayHealth, Teller, WebState};
