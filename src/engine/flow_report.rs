//! Owns the report of a flow: how far customers came, what became of its messages, and what it brought.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::enrollment::EnrollmentStatus;
use crate::domain::flow::Flow;
use crate::domain::ids::NameNo;
use crate::domain::revision::NameKind;
use crate::domain::uplift::{self, Arm, Estimate};
use crate::store::{Arms, FlowCounts, MessageCounts, Published, Result, Store};

/// Everything counted since the flow began, as far as its messages are kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FlowReport {
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    pub name: String,
    /// When it was counted.
    pub at: Timestamp,
    /// Entries: who entered twice counts twice.
    pub entered: u64,
    /// Qualified, and not let in yet.
    pub pending: u64,
    pub waiting: u64,
    pub completed: u64,
    /// By reason.
    pub exited: BTreeMap<&'static str, u64>,
    /// In their order; then those that the flow no longer has.
    pub steps: Vec<StepReport>,
    pub goal: Option<GoalReport>,
}

/// One step; every part of it adds up to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepReport {
    pub step: String,
    /// Whether the flow no longer has it.
    pub removed: bool,
    /// Who came to it: of waiting places only who is there now.
    pub entered: u64,
    /// Who is there and has no message of it yet.
    pub waiting: u64,
    #[serde(flatten)]
    pub messages: MessageReport,
    /// By channel and variant, where there are several.
    pub parts: Vec<PartReport>,
}

/// The messages of one channel, or of one way to say it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PartReport {
    pub channel: Option<Channel>,
    pub variant: Option<String>,
    #[serde(flatten)]
    pub messages: MessageReport,
    /// The share of what was sent that was converted.
    pub conversion: Option<Estimate>,
}

/// What became of messages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct MessageReport {
    /// Accepted by the gateway, whatever came of them afterwards.
    pub sent: u64,
    pub delivered: u64,
    pub bounced: u64,
    /// Refused for good, or tried until there was no time left.
    pub failed: u64,
    pub uncertain: u64,
    /// Claimed, or to be tried again.
    pub open: u64,
    /// By reason.
    pub withheld: BTreeMap<&'static str, u64>,
    /// Messages that were opened, however often.
    pub opened: u64,
    pub clicked: u64,
    /// Goals that were reached with this as the last message before.
    pub converted: u64,
}

/// What the goal came to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GoalReport {
    /// How long after the entry it counts.
    #[schema(example = "30d")]
    pub within: String,
    /// Since when it is what it is.
    pub since: Option<Timestamp>,
    /// All entries that reached it, under an earlier goal too.
    pub reached: u64,
    /// Those of them that did before any message.
    pub before_any_message: u64,
    /// Of the entries since then: who was written to, or would have been but for what is asked after the draw.
    pub messaged: ArmReport,
    pub held_out: ArmReport,
    /// Both, because the share was changed meanwhile; they are not compared.
    pub mixed: ArmReport,
    /// How much larger the share of the messaged is, with its 95 % confidence interval; none: there is
    /// nobody to compare with.
    pub uplift: Option<Estimate>,
}

/// Entries that were treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ArmReport {
    pub people: u64,
    pub reached: u64,
    /// With its 95 % confidence interval.
    pub share: Option<Estimate>,
}

impl FlowReport {
    /// Counts a flow as of now.
    pub async fn read(
        store: &Store,
        published: &Published,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<Self> {
        let number = published.numbers.number(NameKind::Flow, &flow.id);
        let number = number.unwrap_or(NameNo(0));
        let states = store.flow_states().await?;
        let set_at = states.get(&number).and_then(|state| state.goal_set_at);
        let counts = store.flow_counts(number, set_at).await?;
        Ok(of(published, flow, set_at, &counts, now))
    }
}

fn of(
    published: &Published,
    flow: &Flow,
    set_at: Option<Timestamp>,
    counts: &FlowCounts,
    now: Timestamp,
) -> FlowReport {
    let status = |status| counts.statuses.get(&status).copied().unwrap_or_default();
    let waiting = status(EnrollmentStatus::Waiting) + status(EnrollmentStatus::Sending);
    let completed = status(EnrollmentStatus::Completed);
    let exited = counts
        .exits
        .iter()
        .map(|(why, count)| (why.as_str(), *count));
    FlowReport {
        flow: flow.id.clone(),
        name: flow.name.clone(),
        at: now,
        entered: waiting + completed + status(EnrollmentStatus::Exited),
        pending: status(EnrollmentStatus::Pending),
        waiting,
        completed,
        exited: exited.collect(),
        steps: steps(published, flow, counts),
        goal: goal(flow, set_at, counts),
    }
}

fn steps(published: &Published, flow: &Flow, counts: &FlowCounts) -> Vec<StepReport> {
    let numbers = &published.numbers;
    let known = flow.steps.iter().filter_map(|step| {
        let number = numbers.step(&flow.id, &step.id)?;
        Some((number, step.id.clone(), false))
    });
    let mut all: Vec<(NameNo, String, bool)> = known.collect();
    let met = counts.messages.keys().map(|(step, ..)| *step);
    for step in met.chain(counts.waiting.keys().copied()) {
        if all.iter().any(|(number, ..)| *number == step) {
            continue;
        }
        let name = numbers.name(NameKind::Step, step);
        let name = name.and_then(|name| name.split_once('/'));
        all.extend(name.map(|(_, name)| (step, name.to_owned(), true)));
    }
    let steps = all.into_iter();
    steps
        .map(|(number, step, removed)| {
            let waiting = counts.waiting.get(&number).copied().unwrap_or_default();
            let parts = parts(published, number, counts);
            let mut messages = MessageReport::default();
            for part in &parts {
                messages += &part.messages;
            }
            StepReport {
                step,
                removed,
                entered: waiting + messages.all(),
                waiting,
                parts: if is_one(&parts) { Vec::new() } else { parts },
                messages,
            }
        })
        .collect()
}

fn is_one(parts: &[PartReport]) -> bool {
    parts.len() < 2 && parts.iter().all(|part| part.variant.is_none())
}

fn parts(published: &Published, step: NameNo, counts: &FlowCounts) -> Vec<PartReport> {
    let own = counts.messages.iter().filter(|((of, ..), _)| *of == step);
    let parts = own.map(|((_, channel, variant), counted)| {
        let name = variant.and_then(|variant| published.numbers.name(NameKind::Variant, variant));
        let variant = name.and_then(|name| name.rsplit('/').next());
        let messages = MessageReport::of(counted);
        let sent = Arm {
            people: messages.sent,
            reached: messages.converted.min(messages.sent),
        };
        PartReport {
            channel: *channel,
            variant: variant.map(str::to_owned),
            conversion: sent.share(),
            messages,
        }
    });
    parts.collect()
}

fn goal(flow: &Flow, since: Option<Timestamp>, counts: &FlowCounts) -> Option<GoalReport> {
    let after_messages: u64 = counts.messages.values().map(|part| part.converted).sum();
    let Arms {
        messaged,
        held_out,
        mixed,
    } = counts.arms;
    let goal = flow.goal.as_ref()?;
    Some(GoalReport {
        within: goal.within.to_string(),
        since,
        reached: counts.converted_before + after_messages,
        before_any_message: counts.converted_before,
        messaged: ArmReport::of(messaged),
        held_out: ArmReport::of(held_out),
        mixed: ArmReport::of(mixed),
        uplift: uplift::difference(messaged, held_out),
    })
}

impl ArmReport {
    fn of(arm: Arm) -> Self {
        Self {
            people: arm.people,
            reached: arm.reached,
            share: arm.share(),
        }
    }
}

impl MessageReport {
    fn of(counts: &MessageCounts) -> Self {
        let state = |state| counts.states.get(&state).copied().unwrap_or_default();
        let (delivered, bounced) = (
            state(DispatchState::Delivered),
            state(DispatchState::Bounced),
        );
        let withheld = counts.withheld.iter();
        Self {
            sent: state(DispatchState::Accepted) + delivered + bounced,
            delivered,
            bounced,
            failed: state(DispatchState::Refused) + state(DispatchState::Expired),
            uncertain: state(DispatchState::Uncertain),
            open: state(DispatchState::Claimed) + state(DispatchState::Deferred),
            withheld: withheld
                .map(|(why, count)| (why.as_str(), *count))
                .collect(),
            opened: counts.opened,
            clicked: counts.clicked,
            converted: counts.converted,
        }
    }

    /// Every message of which anything is known.
    pub fn all(&self) -> u64 {
        let withheld: u64 = self.withheld.values().sum();
        self.sent + self.failed + self.uncertain + self.open + withheld
    }
}

impl AddAssign<&Self> for MessageReport {
    fn add_assign(&mut self, other: &Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
        self.failed += other.failed;
        self.uncertain += other.uncertain;
        self.open += other.open;
        for (why, count) in &other.withheld {
            *self.withheld.entry(why).or_default() += count;
        }
        self.opened += other.opened;
        self.clicked += other.clicked;
        self.converted += other.converted;
    }
}
