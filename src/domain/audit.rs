//! Owns who did something and by which way: every change of consent and every operation carries it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The person or part that made a change, as it is shown in histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The customer acting on themselves, through a link or a reply.
    pub fn customer() -> Self {
        Self("customer".to_owned())
    }

    /// The daemon itself.
    pub fn drumbeat() -> Self {
        Self("drumbeat".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The way by which a change came in.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    CommandLine,
    Import,
    Api,
    Console,
    /// A link in a message, after the page was confirmed.
    Link,
    /// RFC 8058 one-click, posted by the mail client.
    OneClick,
    /// The engine: an exit, an expiry, a resumed flow.
    Engine,
    /// A gateway's receipt.
    Gateway,
    /// A page of the company's own, with its visitor's browser.
    Site,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandLine => "command-line",
            Self::Import => "import",
            Self::Api => "api",
            Self::Console => "console",
            Self::Link => "link",
            Self::OneClick => "one-click",
            Self::Engine => "engine",
            Self::Gateway => "gateway",
            Self::Site => "site",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::CommandLine,
            Self::Import,
            Self::Api,
            Self::Console,
            Self::Link,
            Self::OneClick,
            Self::Engine,
            Self::Gateway,
            Self::Site,
        ]
        .into_iter()
        .find(|source| source.as_str() == text)
    }
}

/// Who, by which way, and what they said about it (for a link: which message it stood in).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    pub actor: Actor,
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl By {
    pub fn new(actor: Actor, source: Source) -> Self {
        Self {
            actor,
            source,
            note: None,
        }
    }

    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
