//! Owns the life of enrollments: one verb per file, each with a `run_once` that says what happened.

mod ask;
mod beat;
mod breaker;
mod catalog;
mod claim;
mod enroll;
mod entry;
mod facts;
mod handover;
mod metrics;
mod outlet;
mod pace;
mod park;
mod passing;
mod prune;
mod pulse;
mod reconcile;
mod rescue;
mod runtime;
mod send;
mod settle;

pub use beat::{Beat, beat};
pub use catalog::Catalog;
pub use claim::{ClaimPass, Claimer};
pub use enroll::Enroller;
pub use handover::{Left, Marks};
pub use metrics::Metrics;
pub use outlet::{Outlet, Outlets};
pub use park::Parker;
pub use prune::prune;
pub use pulse::Pulse;
pub use reconcile::reconcile;
pub use rescue::{Rescued, rescue};
pub use runtime::{Engine, Links};
pub use settle::{Done, Settler};
