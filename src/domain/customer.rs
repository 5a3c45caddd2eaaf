//! Owns what is known of one customer: identity, fields, tags, switches, consent, status.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::ids::CustomerId;
use super::subscription::Consent;
use super::value::Value;

/// Whether a customer may be written to at all.
#[derive(
    utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    #[default]
    Active,
    /// Came back after a deletion; a person must reactivate it.
    Suspended,
    /// Excluded from sends because of its characteristics.
    Discarded,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Discarded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Active => 0,
            Self::Suspended => 1,
            Self::Discarded => 2,
        }
    }

    pub fn from_number(number: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|status| status.number() == number)
            .unwrap_or_default()
    }
}

/// The master switch and the channel switches of one customer; all on at first.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four switches are four bools"
)]
pub struct Switches {
    pub outbound: bool,
    pub email: bool,
    pub sms: bool,
    pub push: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            outbound: true,
            email: true,
            sms: true,
            push: true,
        }
    }
}

/// One of a customer's switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    Outbound,
    Channel(Channel),
}

impl Switch {
    pub fn parse(text: &str) -> Option<Self> {
        if text == "outbound" {
            Some(Self::Outbound)
        } else {
            Channel::parse(text).map(Self::Channel)
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Channel(channel) => channel.as_str(),
        }
    }
}

impl Switches {
    pub fn channel(self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
            Channel::Push => self.push,
        }
    }

    #[must_use]
    pub fn with(mut self, switch: Switch, on: bool) -> Self {
        match switch {
            Switch::Outbound => self.outbound = on,
            Switch::Channel(Channel::Email) => self.email = on,
            Switch::Channel(Channel::Sms) => self.sms = on,
            Switch::Channel(Channel::Push) => self.push = on,
        }
        self
    }
}

/// The permission of each channel.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consents {
    pub email: Consent,
    pub sms: Consent,
    pub push: Consent,
}

impl Consents {
    pub fn channel(self, channel: Channel) -> Consent {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
            Channel::Push => self.push,
        }
    }

    #[must_use]
    pub fn with(mut self, channel: Channel, consent: Consent) -> Self {
        match channel {
            Channel::Email => self.email = consent,
            Channel::Sms => self.sms = consent,
            Channel::Push => self.push = consent,
        }
        self
    }
}

/// The values of a customer's fields, by identifier; a missing field has no entry.
pub type Fields = BTreeMap<String, FieldValue>;

/// One value, or several for a many-valued field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    One(Value),
    Many(Vec<Value>),
}

impl FieldValue {
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::One(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// A customer as the store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    pub id: CustomerId,
    /// The unique identifier that people and files use.
    pub external_id: String,
    pub status: Status,
    /// Why they are suspended or discarded.
    pub status_reason: Option<String>,
    pub identified: bool,
    pub switches: Switches,
    pub consents: Consents,
    /// Moves with every change that the gate asks about.
    pub consent_rev: i64,
    pub created_at: Timestamp,
    pub last_activity_at: Option<Timestamp>,
    pub last_transaction_at: Option<Timestamp>,
    pub fields: Fields,
    pub tags: Vec<String>,
}

impl Customer {
    /// The text of a one-valued text field, if it has one.
    pub fn text(&self, field: &str) -> Option<&str> {
        if field == super::field::ID {
            return Some(&self.external_id);
        }
        self.fields
            .get(field)
            .and_then(FieldValue::as_text)
            .filter(|text| !text.is_empty())
    }
}
