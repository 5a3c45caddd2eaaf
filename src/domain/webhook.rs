//! Owns outgoing webhooks: the places that are told what happens, of what, and how often it is tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::dispatch::DispatchState;
use super::gateway::Secretive;
use super::interaction::{Direction, Kind};
use super::network::Network;

/// A place of somebody else's that is told what happens (Standard Webhooks 1.0.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub name: String,
    pub url: Secretive,
    /// `whsec_` and base64 of the key, or any text of 24 bytes or more.
    pub secret: Secretive,
    /// The one before, while the receiver changes over: both sign.
    pub former_secret: Option<Secretive>,
    pub events: Vec<Event>,
    /// Networks that may be reached beside the public internet, and without TLS.
    pub allow_networks: Vec<Network>,
}

/// How a secret is written whose key is base64 (Standard Webhooks 1.0.0, "Signature scheme").
const PREFIX: &str = "whsec_";
/// The shortest key, in bytes (the same).
const SHORTEST_KEY: usize = 24;

/// Why a secret is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    #[error("behind `whsec_` must stand the key in base64")]
    Base64,
    #[error("the key must have at least 24 bytes")]
    Short,
}

/// The key of signatures: what stands behind `whsec_` in base64, or the text itself.
pub fn key(secret: &str) -> Result<Vec<u8>, BadSecret> {
    let key = match secret.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| BadSecret::Base64)?,
        None => secret.as_bytes().to_vec(),
    };
    if key.len() < SHORTEST_KEY {
        return Err(BadSecret::Short);
    }
    Ok(key)
}

/// What a webhook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Event {
    Dispatch(Fate),
    ChannelPaused,
    ChannelResumed,
    /// A line of a customer's history.
    Interaction(Line),
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    Accepted,
    Delivered,
    Bounced,
    Complained,
    Refused,
    Withheld,
    Uncertain,
    Expired,
}

/// A kind of line that is written down when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line(Kind);

impl PartialOrd for Line {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Line {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.number().cmp(&other.0.number())
    }
}

/// Where the numbers of lines begin in the store.
const LINES: i64 = 1000;
const CHANNEL_PAUSED: i64 = 101;
const CHANNEL_RESUMED: i64 = 102;

impl Fate {
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Delivered,
        Self::Bounced,
        Self::Complained,
        Self::Refused,
        Self::Withheld,
        Self::Uncertain,
        Self::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Refused => "refused",
            Self::Withheld => "withheld",
            Self::Uncertain => "uncertain",
            Self::Expired => "expired",
        }
    }

    /// In the store; never reused.
    pub fn number(self) -> i64 {
        match self {
            Self::Accepted => 1,
            Self::Delivered => 2,
            Self::Bounced => 3,
            Self::Complained => 4,
            Self::Refused => 5,
            Self::Withheld => 6,
            Self::Uncertain => 7,
            Self::Expired => 8,
        }
    }

    /// What is told of a state, if it is one that lasts.
    pub fn of(state: DispatchState) -> Option<Self> {
        match state {
            DispatchState::Claimed | DispatchState::Deferred => None,
            DispatchState::Accepted => Some(Self::Accepted),
            DispatchState::Delivered => Some(Self::Delivered),
            DispatchState::Withheld => Some(Self::Withheld),
            DispatchState::Refused => Some(Self::Refused),
            DispatchState::Bounced => Some(Self::Bounced),
            DispatchState::Expired => Some(Self::Expired),
            DispatchState::Uncertain => Some(Self::Uncertain),
        }
    }
}

impl Line {
    /// None for what is no line of its own: messages, and the ways through segments and flows.
    pub fn of(kind: Kind) -> Option<Self> {
        let is_shown_only = kind.direction() == Direction::Outbound
            || matches!(
                kind,
                Kind::EnteredSegment
                    | Kind::LeftSegment
                    | Kind::EnteredFlow
                    | Kind::CompletedFlow
                    | Kind::ExitedFlow
            );
        (!is_shown_only).then_some(Self(kind))
    }
}

impl Event {
    /// Every event, in the order in which they are documented.
    pub fn all() -> impl Iterator<Item = Self> {
        let lines = Kind::ALL.iter().filter_map(|kind| Line::of(*kind));
        Fate::ALL
            .into_iter()
            .map(Self::Dispatch)
            .chain([Self::ChannelPaused, Self::ChannelResumed])
            .chain(lines.map(Self::Interaction))
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|event| event.name() == name)
    }

    /// As settings and payloads write it.
    pub fn name(self) -> String {
        match self {
            Self::Dispatch(fate) => format!("dispatch.{}", fate.as_str()),
            Self::ChannelPaused => "channel.paused".to_owned(),
            Self::ChannelResumed => "channel.resumed".to_owned(),
            Self::Interaction(line) => format!("interaction.{}", line.0.as_str()),
        }
    }

    /// In the store; never reused.
    pub fn number(self) -> i64 {
        match self {
            Self::Dispatch(fate) => fate.number(),
            Self::ChannelPaused => CHANNEL_PAUSED,
            Self::ChannelResumed => CHANNEL_RESUMED,
            Self::Interaction(line) => LINES + line.0.number(),
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::all().find(|event| event.number() == number)
    }
}

impl TryFrom<String> for Event {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("`{name}` is no event"))
    }
}

impl From<Event> for String {
    fn from(event: Event) -> Self {
        event.name()
    }
}

const SECOND: i64 = 1;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// What passes between one try and the next, in seconds, before it is spread.
const WAITS: [i64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// The longest `Retry-After` that is believed.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// How much longer a wait may be than it says, so that not all come back at once.
const SPREAD: f64 = 0.1;

/// How long after so many tries (at least one) the next one comes, or none: it is given up. `chance` in
/// 0..1 spreads them; `asked` is what the receiver asked for, if it did.
pub fn next_try(tries: u32, asked: Option<SignedDuration>, chance: f64) -> Option<SignedDuration> {
    let place = usize::try_from(tries.saturating_sub(1)).ok()?;
    let wait = SignedDuration::from_secs(*WAITS.get(place)?);
    let asked = asked.unwrap_or_default().min(LONGEST);
    let wait = wait.max(asked);
    let more = wait.as_secs_f64() * SPREAD * chance.clamp(0.0, 1.0);
    Some(wait + SignedDuration::try_from_secs_f64(more).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_event_has_a_name_and_a_number_of_its_own_and_reads_back() {
        let all: Vec<Event> = Event::all().collect();
        let names: BTreeSet<String> = all.iter().map(|event| event.name()).collect();
        let numbers: BTreeSet<i64> = all.iter().map(|event| event.number()).collect();
        assert_eq!((names.len(), numbers.len()), (all.len(), all.len()));
        for event in all {
            assert_eq!(Event::parse(&event.name()), Some(event));
            assert_eq!(Event::from_number(event.number()), Some(event));
        }
        assert_eq!(Event::parse("interaction.email-sent"), None);
        assert_eq!(Event::parse("interaction.entered-flow"), None);
        assert_eq!(Event::parse("dispatch.claimed"), None);
    }

    #[test]
    fn a_secret_that_is_none_is_refused() {
        for (secret, expected) in [
            ("whsec_!", Err(BadSecret::Base64)),
            ("whsec_c2hvcnQ=", Err(BadSecret::Short)),
            ("a text of 23 characters", Err(BadSecret::Short)),
            ("a text of 24 characters.", Ok(24)),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Ok(24)),
        ] {
            assert_eq!(key(secret).map(|key| key.len()), expected, "{secret}");
        }
    }

    #[test]
    fn tries_become_rarer_and_end() {
        let waits: Vec<i64> = (1..=12)
            .map_while(|tries| next_try(tries, None, 0.0))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, WAITS);
        assert_eq!(waits.iter().sum::<i64>(), 272_105);
        let spread = next_try(2, None, 1.0).unwrap();
        assert_eq!(spread, SignedDuration::from_secs(330));
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_within_reason() {
        let wait = |tries, hours| {
            let asked = Some(SignedDuration::from_hours(hours));
            next_try(tries, asked, 0.0).map(|wait| wait.as_hours())
        };
        assert_eq!(wait(1, 3), Some(3));
        assert_eq!(wait(6, 3), Some(10));
        assert_eq!(wait(1, 300), Some(24));
        assert_eq!(wait(10, 3), None);
    }
}
