//! Owns flows: the ordered steps that each qualifying customer is walked through.

use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::{Deserialize, Deserializer, Serialize};

use super::calendar::Window;
use super::channel::{Channel, Lane};
use super::communication::Communication;
use super::duration::Delay;
use super::goal::Goal;
use super::schedule::Schedule;
use super::segment::Condition;
use super::subscription::LinkScope;
use super::timing::When;

/// A flow as it was checked: every reference resolved, every reused communication copied in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    pub id: String,
    pub name: String,
    pub category: Option<String>,
    pub group: Option<String>,
    pub status: FlowStatus,
    /// The segment's id; an inline segment is stored under `flow:<id>`.
    pub segment: String,
    pub entry: Entry,
    pub exit: Exit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    pub window: Option<Window>,
    pub on_edit: OnEdit,
    pub on_resume: OnResume,
    /// What becomes of those who are in it when it is stopped.
    #[serde(default)]
    pub stop: OnStop,
    pub max_lateness: Delay,
    pub unsubscribe: LinkScope,
    pub dismissable: bool,
    pub steps: Vec<Step>,
    /// Where those go who wait at a step that is gone, where it is not the one after it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved_to: BTreeMap<String, String>,
}

impl Flow {
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether it is stopped, and those who are in it walk on to the end.
    pub fn is_draining(&self) -> bool {
        self.status == FlowStatus::Stopped && self.stop == OnStop::Drain
    }

    /// The step after `id`, or none at the end.
    pub fn step_after(&self, id: &str) -> Option<&Step> {
        let position = self.steps.iter().position(|step| step.id == id)?;
        self.steps.get(position + 1)
    }
}

#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowStatus {
    #[default]
    Active,
    /// Checked, but nobody enters and nothing is sent.
    Draft,
    /// Nobody enters and nothing is sent until it is active again.
    Paused,
    /// Ended: nobody enters, those inside exit.
    Stopped,
}

impl FlowStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draft => "draft",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    pub reentry: Reentry,
    pub existing_members: ExistingMembers,
    pub limit: Option<EntryLimit>,
    /// Of those who enter, in ten-thousandths: never sent anything, and measured.
    #[serde(default)]
    pub holdout: u32,
    /// When members enter; none: as soon as they qualify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reentry {
    #[default]
    Once,
    EveryRequalification,
    /// At the earliest this long after the last entry; `every month` and `every year` are calendar.
    Every(Delay),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExistingMembers {
    /// The first delay counts from the flow's activation.
    #[default]
    FromActivation,
    /// The first delay counts from the moment they joined the segment.
    FromJoining,
    /// They do not enter.
    Skip,
}

/// At most so many entries in each span, spread evenly over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryLimit {
    pub customers: u32,
    pub per_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Exit {
    pub on_leaving_segment: bool,
    pub when: Option<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnEdit {
    /// Those waiting are timed anew.
    #[default]
    Recompute,
    /// Those waiting keep the time they have.
    Freeze,
}

#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnStop {
    /// They walk on to the end; nobody enters.
    Drain,
    /// They leave at once.
    #[default]
    Cancel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnResume {
    /// Due times move by the length of the pause.
    #[default]
    Shift,
    /// What fell due during the pause is due now.
    CatchUp,
    /// What fell due during the pause is withheld as `late`.
    SkipLate,
}

/// One step: when, perhaps a time of day, perhaps a condition, perhaps a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    #[serde(flatten)]
    pub when: When,
    pub at: Option<Time>,
    #[serde(rename = "if")]
    pub condition: Option<Condition>,
    pub window: Option<Window>,
    pub on_skip: OnSkip,
    /// None: a waiting place. Several, of a channel each: the first that may be used is.
    #[serde(
        alias = "action",
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub actions: Vec<Action>,
}

impl Step {
    pub fn lane(&self) -> Lane {
        match self.actions.as_slice() {
            [] => Lane::None,
            [action] => Lane::Channel(action.content.channel()),
            _ => Lane::Any,
        }
    }

    /// What it sends on this channel.
    pub fn action_on(&self, channel: Channel) -> Option<&Action> {
        let mut actions = self.actions.iter();
        actions.find(|action| action.content.channel() == channel)
    }

    /// The channels it may send on, the first choice first.
    pub fn channels(&self) -> impl Iterator<Item = Channel> {
        self.actions.iter().map(|action| action.content.channel())
    }
}

/// Steps had one action at most.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Action>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<Action>),
        One(Option<Box<Action>>),
    }
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::Many(actions) => actions,
        OneOrMany::One(action) => action.into_iter().map(|action| *action).collect(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnSkip {
    #[default]
    Advance,
    Exit,
}

/// What a step sends, and where it was defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The campaign and communication that is reused; none when defined on the spot.
    pub reuses: Option<Reuse>,
    pub content: Communication,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reuse {
    pub campaign: String,
    pub communication: String,
}
