//! Owns jobs: orders about many customers, checked, queued, and carried out page by page.

pub mod carrying;
pub(super) mod chosen;
mod exporting;
pub mod facts;
pub mod picking;
mod prepared;
pub mod queue;
