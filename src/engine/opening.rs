//! Owns when a step may speak: its windows, those of its flow, quiet hours, holidays.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::catalog::{Catalog, FlowPlan, StepPlan};
use crate::domain::by_hand;
use crate::domain::calendar::{self, Opening};
use crate::domain::channel::Channel;

/// What decides it.
pub(super) struct Openings<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) plan: &'a FlowPlan,
    pub(super) step: &'a StepPlan,
    pub(super) channel: Channel,
    /// The customer's.
    pub(super) zone: &'a TimeZone,
}

impl Openings<'_> {
    pub(super) fn from(&self, instant: Timestamp) -> Opening {
        let policy = &self.catalog.revision().policy;
        let windows = self.plan.flow.window.into_iter();
        let windows: Vec<_> = windows.chain(self.step.step.window).collect();
        // Who has just written is awake.
        let is_answer = by_hand::is_answer(&self.plan.flow.id);
        let quiet_hours = policy.quiet_hours.get(&self.channel);
        calendar::opens(
            instant,
            quiet_hours.copied().filter(|_| !is_answer),
            &windows,
            &policy.holidays,
            self.zone,
            &self.catalog.zone,
        )
    }

    /// When the step was first allowed: lateness counts from there, not from inside quiet hours.
    pub(super) fn first(&self, planned: Timestamp) -> Timestamp {
        self.from(planned).at.unwrap_or(planned)
    }
}
