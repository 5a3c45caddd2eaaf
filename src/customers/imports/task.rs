//! Owns what a job about an import is done with, and how far it gets.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::job::{Job, JobEnd};
use crate::store::{JobHold, Published, Store};

/// A job about an import, and what it is done with.
pub struct Task<'a> {
    pub store: &'a Store,
    pub clock: &'a dyn Clock,
    pub published: Arc<Published>,
    pub hold: &'a JobHold,
    pub job: &'a Job,
    /// Told to stop; whoever comes next goes on.
    pub stop: &'a CancellationToken,
}

/// How far the work got.
#[derive(Debug)]
pub enum Ended {
    ToTheEnd(JobEnd),
    Stopped,
    /// Somebody else is at it.
    Lost,
}
