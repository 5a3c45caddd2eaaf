//! Owns definitions that people make in the store beside the files: fields, tags, segments, smart lists.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What can be defined without a file.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DefinitionKind {
    Field,
    Tag,
    Segment,
    SmartList,
}

impl DefinitionKind {
    pub const ALL: [Self; 4] = [Self::Field, Self::Tag, Self::Segment, Self::SmartList];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Tag => "tag",
            Self::Segment => "segment",
            Self::SmartList => "smart-list",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// As people say it.
impl fmt::Display for DefinitionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmartList => "smart list",
            other => other.as_str(),
        })
    }
}

/// Where something is defined.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In a file of the workspace, and read-only elsewhere; also what every workspace has.
    File,
    /// In the store, by the API or the command line.
    Store,
}

/// One definition in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub kind: DefinitionKind,
    pub name: String,
    /// One document of the flow language, as YAML.
    pub body: String,
    /// Moves with every change, and is never used again.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub actor: String,
}

/// All definitions in the store as they stood at one moment, by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definitions {
    /// How many changes there have been.
    pub changes: i64,
    pub all: Vec<Definition>,
}

impl Definitions {
    pub fn find(&self, kind: DefinitionKind, name: &str) -> Option<&Definition> {
        let mut all = self.all.iter();
        all.find(|one| one.kind == kind && one.name == name)
    }
}
