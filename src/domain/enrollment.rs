//! Owns the enrollment: one customer's run through a flow, its states, and how it moves from step to step.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an enrollment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrollmentStatus {
    /// Qualified, and not yet let in: an entry limit, or the flow is paused.
    Pending,
    /// The next step has a due time.
    Waiting,
    /// A slot has the step, or a retry of it is due.
    Sending,
    Completed,
    Exited,
}

impl EnrollmentStatus {
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Waiting,
        Self::Sending,
        Self::Completed,
        Self::Exited,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Completed => "completed",
            Self::Exited => "exited",
        }
    }

    /// Live states have the lower numbers: `status < 10`.
    pub fn number(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Waiting => 1,
            Self::Sending => 2,
            Self::Completed => 10,
            Self::Exited => 11,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.number() == number)
    }

    pub fn is_live(self) -> bool {
        self.number() < 10
    }
}

/// Why a due step waits longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBecause {
    QuietHours,
    Window,
    Cap,
    Paused,
}

impl HeldBecause {
    pub const ALL: [Self; 4] = [Self::QuietHours, Self::Window, Self::Cap, Self::Paused];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuietHours => "quiet_hours",
            Self::Window => "window",
            Self::Cap => "frequency_cap",
            Self::Paused => "paused",
        }
    }

    pub fn number(self) -> i64 {
        match self {
            Self::QuietHours => 1,
            Self::Window => 2,
            Self::Cap => 3,
            Self::Paused => 4,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|held| held.number() == number)
    }
}

/// Why an enrollment ended before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    LeftSegment,
    ExitCondition,
    Goal,
    /// A message was withheld and the step says `on-skip: exit`.
    Skipped,
    Dismissed,
    CustomerDeleted,
    Suspended,
    Discarded,
    FlowStopped,
    RemovedByPerson,
}

impl ExitReason {
    pub const ALL: [Self; 10] = [
        Self::LeftSegment,
        Self::ExitCondition,
        Self::Goal,
        Self::Skipped,
        Self::Dismissed,
        Self::CustomerDeleted,
        Self::Suspended,
        Self::Discarded,
        Self::FlowStopped,
        Self::RemovedByPerson,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeftSegment => "left_segment",
            Self::ExitCondition => "exit_condition",
            Self::Goal => "goal",
            Self::Skipped => "skipped",
            Self::Dismissed => "dismissed",
            Self::CustomerDeleted => "customer_deleted",
            Self::Suspended => "suspended",
            Self::Discarded => "discarded",
            Self::FlowStopped => "flow_stopped",
            Self::RemovedByPerson => "removed_by_person",
        }
    }

    pub fn number(self) -> i64 {
        match self {
            Self::LeftSegment => 1,
            Self::ExitCondition => 2,
            Self::Goal => 3,
            Self::Skipped => 4,
            Self::Dismissed => 5,
            Self::CustomerDeleted => 6,
            Self::Suspended => 7,
            Self::Discarded => 8,
            Self::FlowStopped => 9,
            Self::RemovedByPerson => 10,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.number() == number)
    }
}

/// When the next step is looked at: `anchor` is when the previous one finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub anchor: Timestamp,
    pub planned: Timestamp,
}
