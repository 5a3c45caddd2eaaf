//! Owns the revision: one checked, resolved state of all files, the only thing the engine executes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::campaign::Campaign;
use super::channel::Channel;
use super::definition::DefinitionKind;
use super::field::DataModel;
use super::flow::Flow;
use super::gateway::ChannelConfig;
use super::ids::NameNo;
use super::policy::Policy;
use super::rating::RatingBounds;
use super::segment::{Condition, Segment};

/// The version of the canonical JSON; an older one stays readable.
pub const FORMAT: u32 = 1;

/// What the files say, canonical and versioned; it never holds a resolved secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    pub format: u32,
    /// IANA name of the workspace's zone.
    pub zone: String,
    /// Where links in messages lead: `https://…` without a trailing slash.
    pub public_url: Option<String>,
    pub data_model: DataModel,
    pub rating: RatingBounds,
    pub policy: Policy,
    pub channels: BTreeMap<Channel, ChannelConfig>,
    pub segments: BTreeMap<String, Segment>,
    pub campaigns: BTreeMap<String, Campaign>,
    pub flows: BTreeMap<String, Flow>,
    /// Which of the segments are smart lists.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub smart_lists: BTreeSet<String>,
    /// What of this people made in the store.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub made: BTreeSet<(DefinitionKind, String)>,
    /// How many changes of what people make in the store it knows of.
    #[serde(default)]
    pub definitions: i64,
}

impl Default for Revision {
    fn default() -> Self {
        Self {
            format: FORMAT,
            zone: "UTC".to_owned(),
            public_url: None,
            data_model: DataModel::default(),
            rating: RatingBounds::default(),
            policy: Policy::default(),
            channels: BTreeMap::new(),
            segments: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            flows: BTreeMap::new(),
            smart_lists: BTreeSet::new(),
            made: BTreeSet::new(),
            definitions: 0,
        }
    }
}

impl Revision {
    /// The workspace's zone; an unknown name (refused when files are checked) reads as UTC.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// Every condition that it holds, each with the name of the segment or flow that it belongs to.
    pub fn conditions(&self) -> Vec<(String, &Condition)> {
        let segments = self.segments.values();
        let segments =
            segments.map(|segment| (format!("segment `{}`", segment.id), &segment.condition));
        let flows = self.flows.values().flat_map(|flow| {
            let own = flow.steps.iter().filter_map(|step| step.condition.as_ref());
            let waits = flow.steps.iter().filter_map(|step| step.when.wait_for());
            let waits = waits.map(|wait| &wait.until);
            let exit = flow.exit.when.as_ref();
            let goal = flow.goal.as_ref().map(|goal| &goal.when);
            own.chain(waits)
                .chain(exit)
                .chain(goal)
                .map(|when| (format!("flow `{}`", flow.id), when))
        });
        segments.chain(flows).collect()
    }

    /// The lists that conditions name.
    pub fn lists(&self) -> Vec<&String> {
        let mut lists = Vec::new();
        for (_, condition) in self.conditions() {
            condition.walk(&mut |part| {
                if let Condition::List(list) = part {
                    lists.push(list);
                }
            });
        }
        lists
    }
}

/// What kind of thing a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    Flow,
    /// Named `flow/step`.
    Step,
    Segment,
    Campaign,
    Category,
    Group,
    Tag,
    Field,
    /// A fixed set of customers; it is in the store alone.
    List,
    /// Named `flow/step/variant`.
    Variant,
}

impl NameKind {
    pub fn number(self) -> i64 {
        match self {
            Self::Flow => 1,
            Self::Step => 2,
            Self::Segment => 3,
            Self::Campaign => 4,
            Self::Category => 5,
            Self::Group => 6,
            Self::Tag => 7,
            Self::Field => 8,
            Self::List => 9,
            Self::Variant => 10,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        [
            Self::Flow,
            Self::Step,
            Self::Segment,
            Self::Campaign,
            Self::Category,
            Self::Group,
            Self::Tag,
            Self::Field,
            Self::List,
            Self::Variant,
        ]
        .into_iter()
        .find(|kind| kind.number() == number)
    }
}

/// The stable small numbers of all names ever published.
///
/// A flow is a campaign too: as a campaign it has a number of kind `Campaign` with the same name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    numbers: BTreeMap<(NameKind, String), NameNo>,
    names: BTreeMap<(NameKind, NameNo), String>,
}

impl Numbers {
    pub fn insert(&mut self, kind: NameKind, name: &str, number: NameNo) {
        self.numbers.insert((kind, name.to_owned()), number);
        self.names.insert((kind, number), name.to_owned());
    }

    pub fn number(&self, kind: NameKind, name: &str) -> Option<NameNo> {
        self.numbers.get(&(kind, name.to_owned())).copied()
    }

    /// The highest number that is given.
    pub fn highest(&self) -> NameNo {
        let numbers = self.numbers.values().copied();
        numbers.max().unwrap_or(NameNo(0))
    }

    pub fn step(&self, flow: &str, step: &str) -> Option<NameNo> {
        self.number(NameKind::Step, &step_name(flow, step))
    }

    pub fn variant(&self, flow: &str, step: &str, variant: &str) -> Option<NameNo> {
        self.number(NameKind::Variant, &variant_name(flow, step, variant))
    }

    pub fn name(&self, kind: NameKind, number: NameNo) -> Option<&str> {
        self.names.get(&(kind, number)).map(String::as_str)
    }
}

/// The name under which a step has its number.
pub fn step_name(flow: &str, step: &str) -> String {
    format!("{flow}/{step}")
}

/// The name under which a variant has its number.
pub fn variant_name(flow: &str, step: &str, variant: &str) -> String {
    format!("{flow}/{step}/{variant}")
}

/// Which flow's step, by their names, sends on a channel the communication of which campaign.
pub type Reuses = BTreeMap<(String, String, Channel), String>;

impl Revision {
    /// The steps that send communications of campaigns.
    pub fn reuses(&self) -> Reuses {
        let steps = self.flows.values();
        let steps = steps.flat_map(|flow| flow.steps.iter().map(move |step| (flow, step)));
        let actions = steps.flat_map(|(flow, step)| {
            let actions = step.actions.iter();
            actions.map(move |action| (flow, step, action))
        });
        let reuses = actions.filter_map(|(flow, step, action)| {
            let reused = action.reuses.as_ref()?;
            let place = (flow.id.clone(), step.id.clone(), action.content.channel());
            Some((place, reused.campaign.clone()))
        });
        reuses.collect()
    }
}

const INLINE: &str = "flow:";

/// The id of the segment that a flow carries inline.
pub fn inline_segment(flow: &str) -> String {
    format!("{INLINE}{flow}")
}

/// The flow that carries the segment inline.
pub fn flow_of_inline(segment: &str) -> Option<&str> {
    segment.strip_prefix(INLINE)
}
