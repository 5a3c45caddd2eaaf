//! Owns one of a workspace's own tests with what came of it.

use std::time::Duration;

use crate::domain::scenario::Scenario;
use crate::simulation::{Played, Trouble, Verdict};

/// One test and what came of it.
pub(super) struct Tested {
    pub(super) scenario: Scenario,
    pub(super) outcome: Result<(Played, Verdict), Trouble>,
    pub(super) took: Duration,
}

impl Tested {
    pub(super) fn is_right(&self) -> bool {
        self.outcome
            .as_ref()
            .is_ok_and(|(_, verdict)| verdict.is_right())
    }
}
