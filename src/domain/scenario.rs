//! Owns a workspace's own tests: who is there, what happens when, and what must come of it.

use std::ops::Range;

use jiff::Timestamp;

use super::channel::Channel;
use super::customer::{FieldValue, Status, Switch};
use super::enrollment::ExitReason;
use super::interaction::Kind;
use super::reason::Reason;
use super::subscription::{Consent, Scope};

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it says, in a sentence.
    pub name: String,
    pub place: Place,
    pub start: Timestamp,
    /// When it is over; none: when nobody waits any more.
    pub until: Option<Timestamp>,
    /// The flows that run; none: all.
    pub flows: Option<Vec<String>>,
    pub customers: Vec<Person>,
    /// In the order of time.
    pub events: Vec<Event>,
    pub expected: Vec<Expected>,
    /// The bytes of the file that say what is expected.
    pub written: Range<usize>,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

/// A customer with what is said of them; nothing for a field clears it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    pub id: String,
    pub fields: Vec<(String, Option<FieldValue>)>,
    pub tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub place: Place,
    pub what: Happening,
}

/// What happens to a customer, or to the flows.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A new customer, or other values.
    Set(Person),
    Customer(String, ToCustomer),
    Pause(String),
    Resume(String),
    Edit(Edit),
}

#[derive(Debug, Clone, PartialEq)]
pub enum ToCustomer {
    Untag(String),
    Did(Done),
    Unsubscribe(Scope),
    Resubscribe(Scope),
    Dismiss(String),
    Switch(Switch, bool),
    Consent(Channel, Consent),
    Status(Status),
    Delete,
}

/// Something a customer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub kind: Kind,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub channel: Option<Channel>,
}

/// A file of the workspace as somebody edits it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub file: String,
    pub replace: String,
    pub with: String,
}

/// What must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub place: Place,
    /// As exactly as it is written: the first instant, and the first after it.
    pub at: Option<(Timestamp, Timestamp)>,
    pub customer: String,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub what: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        channel: Option<Channel>,
        /// `CAMPAIGN/COMMUNICATION` or `FLOW/STEP`.
        communication: Option<String>,
        subject_contains: Option<String>,
        text_contains: Option<String>,
    },
    Withheld(Reason),
    /// With a step: that of the last message before.
    Goal,
    Exited(ExitReason),
    Completed,
}
