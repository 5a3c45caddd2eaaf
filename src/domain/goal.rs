//! Owns the goal: the result that a flow is for, by which it is measured.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::calendar;
use super::duration::Delay;
use super::segment::Condition;

/// Reached once for each entry, by what happens after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    pub when: Condition,
    /// Counted from the entry.
    pub within: Delay,
    /// Whether it ends the run.
    #[serde(default)]
    pub exit: bool,
}

impl Goal {
    /// Who entered at this instant or later can still reach it at `now`; nobody who entered before the
    /// goal was set is measured by it.
    pub fn opens(&self, now: Timestamp, zone: &TimeZone, set_at: Option<Timestamp>) -> Timestamp {
        let earliest = calendar::before(now, self.within, zone);
        set_at.map_or(earliest, |set_at| earliest.max(set_at))
    }
}
