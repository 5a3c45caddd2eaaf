//! Owns the enrollment: one customer's run through a flow, its states, and how it moves from step to step.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::calendar::Reckoning;
use super::flow::{Flow, Step};
pub use super::held::HeldBecause;

/// Where an enrollment stands.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
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

/// Why an enrollment ended before its last step.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
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
    /// What a step waited for did not happen in time, and the step says `otherwise: exit`.
    WaitExpired,
}

impl ExitReason {
    pub const ALL: [Self; 11] = [
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
        Self::WaitExpired,
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
            Self::WaitExpired => "wait_expired",
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
            Self::WaitExpired => 11,
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
    /// Only the customer's own facts tell: they are asked as soon as the step begins.
    pub provisional: bool,
}

/// The step an enrollment waits for, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Next<'a> {
    pub step: &'a Step,
    pub timing: Timing,
}

/// Where an enrollment begins; `anchor` is when the customer joined or the flow was activated.
/// None: the flow has no steps.
pub fn first<'a>(flow: &'a Flow, anchor: Timestamp, reckoning: Reckoning<'_>) -> Option<Next<'a>> {
    flow.steps.first().map(|step| next(step, anchor, reckoning))
}

/// Where an enrollment goes when the step `finished` was sent or skipped at `at`. None: it is
/// completed. A step that the flow no longer has is for [`successor`].
pub fn advance<'a>(
    flow: &'a Flow,
    finished: &str,
    at: Timestamp,
    reckoning: Reckoning<'_>,
) -> Option<Next<'a>> {
    flow.step_after(finished)
        .map(|step| next(step, at, reckoning))
}

/// With which step those go on who wait at a step of `was` that the flow no longer has. None: with none.
///
/// The next step of `was` that is left comes first, so that a renamed step is not sent again; when none
/// is left, what now follows the last one that they had passed. Who had passed none begins anew.
pub fn successor<'a>(was: &Flow, is: &'a Flow, gone: &str) -> Option<&'a Step> {
    let position = was.steps.iter().position(|step| step.id == gone)?;
    let (passed, later) = (&was.steps[..position], &was.steps[position + 1..]);
    let kept = |steps: &[Step]| steps.iter().find_map(|step| is.step(&step.id));
    let after_passed = || {
        let last = passed.iter().rev().find_map(|step| is.step(&step.id))?;
        is.step_after(&last.id)
    };
    let first = || is.steps.first().filter(|_| passed.is_empty());
    kept(later).or_else(after_passed).or_else(first)
}

/// When a step is meant for someone whose previous step finished at `anchor`: its timing anew
/// after an edit or in another zone.
pub fn retime(step: &Step, anchor: Timestamp, reckoning: Reckoning<'_>) -> Timing {
    let planned = step.when.for_all(anchor, step.at, reckoning);
    Timing {
        anchor,
        planned: planned.unwrap_or(anchor),
        provisional: planned.is_none(),
    }
}

fn next<'a>(step: &'a Step, anchor: Timestamp, reckoning: Reckoning<'_>) -> Next<'a> {
    Next {
        step,
        timing: retime(step, anchor, reckoning),
    }
}

#[cfg(test)]
mod tests {
    use super::super::duration::Delay;
    use super::super::flow::{Entry, Exit, FlowStatus, OnEdit, OnResume, OnSkip, OnStop};
    use super::super::subscription::LinkScope;
    use super::super::timing::When;
    use super::*;
    use crate::domain::calendar;
    use jiff::civil::Date;
    use jiff::tz::TimeZone;
    use rstest::rstest;
    use std::collections::{BTreeMap, BTreeSet};

    static NO_HOLIDAYS: BTreeSet<Date> = BTreeSet::new();

    fn by(zone: &TimeZone) -> Reckoning<'_> {
        Reckoning {
            zone,
            holidays: &NO_HOLIDAYS,
        }
    }

    fn flow(steps: &str) -> Flow {
        let step = |id: &str| Step {
            id: id.to_owned(),
            when: When::After(Delay::days(1)),
            at: None,
            condition: None,
            window: None,
            on_skip: OnSkip::Advance,
            actions: Vec::new(),
        };
        Flow {
            id: "f".to_owned(),
            name: "F".to_owned(),
            category: None,
            group: None,
            status: FlowStatus::Active,
            segment: "s".to_owned(),
            entry: Entry::default(),
            exit: Exit::default(),
            goal: None,
            window: None,
            on_edit: OnEdit::default(),
            on_resume: OnResume::default(),
            stop: OnStop::default(),
            max_lateness: Delay::hours(72),
            unsubscribe: LinkScope::default(),
            dismissable: false,
            moved_to: BTreeMap::new(),
            steps: steps.split_whitespace().map(step).collect(),
        }
    }

    #[test]
    fn each_step_is_timed_from_when_the_one_before_finished() {
        let flow = flow("a b");
        let anchor: Timestamp = "2026-03-07T12:00:00Z".parse().unwrap();
        let zone = calendar::zone_named("America/New_York").unwrap();
        let begun = first(&flow, anchor, by(&zone)).unwrap();
        assert_eq!(begun.step.id, "a");
        let expected = "2026-03-08T11:00:00Z".parse().unwrap();
        assert_eq!(
            (begun.timing.anchor, begun.timing.planned),
            (anchor, expected)
        );
        let then = advance(&flow, "a", expected, by(&zone)).unwrap();
        assert_eq!((then.step.id.as_str(), then.timing.anchor), ("b", expected));
        assert_eq!(advance(&flow, "b", expected, by(&zone)), None);
    }

    #[test]
    fn a_flow_without_steps_has_nowhere_to_begin() {
        assert_eq!(
            first(&flow(""), Timestamp::UNIX_EPOCH, by(&TimeZone::UTC)),
            None
        );
    }

    #[rstest]
    #[case::the_next_one_that_is_left("a b c d", "b", "a d", Some("d"))]
    #[case::a_renamed_step_is_not_sent_again("a b c", "b", "a z c", Some("c"))]
    #[case::an_appended_step_reaches_those_who_passed("a b", "b", "a x", Some("x"))]
    #[case::nothing_left_behind_it("a b", "b", "a", None)]
    #[case::nothing_left_at_all("a b", "b", "x y", None)]
    #[case::who_passed_none_begins_anew("a b", "a", "x y", Some("x"))]
    #[case::never_heard_of("a b", "q", "a b", None)]
    fn a_removed_step_is_left_for(
        #[case] known: &str,
        #[case] gone: &str,
        #[case] now: &str,
        #[case] expected: Option<&str>,
    ) {
        let (was, is) = (flow(known), flow(now));
        let next = successor(&was, &is, gone);
        assert_eq!(next.map(|step| step.id.as_str()), expected);
    }
}
