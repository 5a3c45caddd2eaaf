//! Owns what a sender tells of a customer's doings, before it is known which customer that is.

use jiff::Timestamp;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::channel::Channel;
use super::environment::Environment;
use super::ids::CustomerId;
use super::interaction::{Interaction, Kind};
use super::nps::NpsAnswer;

/// Something that happened, valid in itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    pub key: Key,
    pub who: Who,
    /// Whether a customer of whom nothing is known is added.
    pub adds: bool,
    pub at: Timestamp,
    pub kind: Kind,
    pub channel: Option<Channel>,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub actor: String,
    pub detail: Map<String, Value>,
    pub nps: Option<NpsAnswer>,
    pub environment: Option<Environment>,
}

/// Whom it is about, as the sender knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// By the unique id.
    Customer(String),
    /// Somebody of whom nobody knows yet who they are, or whose id leads to a customer by now.
    Visitor(String),
    /// The one customer who has this address.
    Email(String),
    /// The one customer who has this number.
    Phone(String),
}

impl Who {
    pub fn id(&self) -> Option<&String> {
        match self {
            Self::Customer(id) | Self::Visitor(id) => Some(id),
            Self::Email(_) | Self::Phone(_) => None,
        }
    }

    pub fn email(&self) -> Option<&String> {
        match self {
            Self::Email(value) => Some(value),
            _ => None,
        }
    }

    pub fn phone(&self) -> Option<&String> {
        match self {
            Self::Phone(value) => Some(value),
            _ => None,
        }
    }
}

/// The sender's own id of an occurrence as it is kept: told apart among those of one customer, 64 bits
/// of a hash are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(i64);

impl Key {
    pub fn of(id: &str) -> Self {
        Self(xxh3_64(id.as_bytes()).cast_signed())
    }

    pub fn number(self) -> i64 {
        self.0
    }
}

/// An occurrence whose customer was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub key: Key,
    pub line: Interaction,
    pub nps: Option<NpsAnswer>,
    pub environment: Option<Environment>,
}

impl Occurrence {
    pub fn placed(self, customer: CustomerId) -> Placed {
        let line = Interaction {
            channel: self.channel,
            campaign: self.campaign,
            flow: self.flow,
            step: self.step,
            actor: Some(self.actor),
            detail: Some(Value::Object(self.detail)),
            ..Interaction::new(customer, self.at, self.kind)
        };
        Placed {
            key: self.key,
            line,
            nps: self.nps,
            environment: self.environment,
        }
    }
}
