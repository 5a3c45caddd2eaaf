//! Owns segments: the condition tree people write. Its meaning is its SQL (`store/segments.rs`); its words are in `segment_words.rs`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::customer::Status;
use super::duration::Delay;
use super::interaction::Kind;
use super::nps::NpsTest;
use super::rating::Rating;
use super::subscription::{Consent, Scope};
use super::value::Value;

/// A named condition; who meets it is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub id: String,
    pub description: Option<String>,
    #[serde(rename = "where")]
    pub condition: Condition,
}

/// A tree of conditions over one customer, already checked against the data model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A one-valued field (or `id`).
    Field {
        field: String,
        test: Test,
    },
    /// A many-valued field.
    Many {
        field: String,
        test: ManyTest,
    },
    Tag(String),
    /// On a fixed list; nobody is on one that there is not.
    List(String),
    Segment(String),
    Rating(Rating),
    Status(Status),
    Identified(bool),
    /// `created`, `last-activity`, `last-engagement`, `last-transaction`.
    Moment {
        moment: Moment,
        test: DateTest,
    },
    Consent {
        channel: Channel,
        is: Consent,
    },
    /// Not given up: no standing record covers a message of this scope.
    Subscribed(Scope),
    Did(Did),
    /// Has a live enrollment in the flow.
    InFlow(String),
    /// The latest answer to "how likely is it that you would recommend us?".
    Nps(NpsTest),
    /// A sticky share of all customers, in hundredths of a percent.
    Random(u32),
}

/// A test of one value. Text is compared without case and accents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    Is(Value),
    IsNot(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    DoesNotContain(String),
    /// A glob: `*` any run, `?` one character.
    Matches(String),
    LessThan(Value),
    AtMost(Value),
    MoreThan(Value),
    AtLeast(Value),
    /// Both ends included.
    Between(Value, Value),
    Date(DateTest),
    Exists,
    Missing,
}

/// A test of a date or an instant. A missing value meets only `Missing`.
///
/// Relative tests count whole days in the workspace's zone for dates and n × 24 h for instants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateTest {
    Before(Date),
    On(Date),
    After(Date),
    /// Both ends included.
    Between(Date, Date),
    WithinLast(Delay),
    OlderThan(Delay),
    ExactlyAgo(Delay),
    WithinNext(Delay),
    /// The month and day come round within this many days, today included (0 = today). 29 February counts as the 28th in other years.
    Anniversary {
        within_days: u32,
    },
    Exists,
    Missing,
}

/// A test of a many-valued field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManyTest {
    Includes(Value),
    IncludesAny(Vec<Value>),
    IncludesAll(Vec<Value>),
    Excludes(Value),
    CountAtLeast(u32),
    Exists,
    Missing,
}

/// An instant that every customer record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    Created,
    LastActivity,
    LastEngagement,
    LastTransaction,
}

/// "Did something": an interaction of a kind, filtered, at least so many times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Did {
    pub kind: Kind,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub channel: Option<Channel>,
    pub within_last: Option<Delay>,
    pub at_least: u32,
}

impl Condition {
    /// Calls `visit` on this condition and every one below it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Self::Not(part) => part.walk(visit),
            _ => {}
        }
    }
}
