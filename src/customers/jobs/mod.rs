//! Owns jobs: orders about many customers, checked, queued, and carried out page by page.

pub mod carrying;
mod chosen;
pub mod facts;
pub mod picking;
mod prepared;
pub mod queue;
