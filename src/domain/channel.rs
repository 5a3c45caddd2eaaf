//! Owns the media a customer is reached by, and the lanes of the due index.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A medium. The gateway behind it is configured in `channels/`.
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
pub enum Channel {
    Email,
    Sms,
    Push,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Push];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
    }

    /// The number by which the store knows this channel; never reused.
    pub fn number(self) -> i64 {
        match self {
            Self::Email => 1,
            Self::Sms => 2,
            Self::Push => 3,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.number() == number)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A lane of the due index: what kind of work a due enrollment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// A message on this channel.
    Channel(Channel),
    /// A message on the first of several channels that may be used.
    Any,
    /// A step with only a delay: a waiting place.
    None,
    /// A finished enrollment whose flow lets the customer enter again after a time.
    Reentry,
}

impl Lane {
    pub const ALL: [Self; 6] = [
        Self::Channel(Channel::Email),
        Self::Channel(Channel::Sms),
        Self::Channel(Channel::Push),
        Self::Any,
        Self::None,
        Self::Reentry,
    ];

    pub fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Channel(channel) => channel.number(),
            Self::Any => 4,
            Self::Reentry => 9,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.number() == number)
    }

    pub fn channel(self) -> Option<Channel> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Any | Self::None | Self::Reentry => None,
        }
    }
}
