//! Owns jobs: what is done to many customers in the background, and how far it is.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audit::{Actor, By, Source};
use super::ids::CustomerId;

/// Of the failures of a job so many are kept, the first ones; the others are counted.
pub const MOST_ERRORS: u32 = 1_000;

/// The number of a job: people say "job 7".
#[derive(
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
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct JobNo(pub i64);

impl fmt::Display for JobNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Declares the kinds once: variant, written name.
macro_rules! kinds {
    ($($variant:ident $name:literal;)*) => {
        /// What a job does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum JobKind { $($variant,)* }

        impl JobKind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    AddTags "add-tags";
    RemoveTags "remove-tags";
    AddToList "add-to-list";
    RemoveFromList "remove-from-list";
    SetFields "set-fields";
    Suspend "suspend";
    Reactivate "reactivate";
    Discard "discard";
    Delete "delete";
    Connect "connect";
    Export "export";
    CheckImport "check-import";
    Import "import";
    RevertImport "revert-import";
}

impl JobKind {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    Queued,
    Running,
    /// All who were to be looked at were; some may have failed.
    Done,
    /// It could not go on; what was done until then stays.
    Failed,
    /// Somebody stopped it; what was done until then stays.
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Done => 2,
            Self::Failed => 3,
            Self::Cancelled => 4,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// Whether nothing happens any more.
    pub fn is_over(self) -> bool {
        self.number() >= Self::Done.number()
    }
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub number: JobNo,
    pub kind: JobKind,
    pub state: JobState,
    pub actor: String,
    pub source: Source,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// How many there are; none until they are counted. Who comes or goes meanwhile makes it differ from
    /// those who were done.
    pub total: Option<u64>,
    /// Those who are as they were to be.
    pub done: u64,
    /// Of those, the ones who were not so before.
    pub changed: u64,
    pub failed: u64,
    /// What is to be done.
    pub body: Value,
    pub place: Option<JobPlace>,
    pub result: Option<Value>,
    /// Why it could not go on.
    pub problem: Option<String>,
    /// Somebody wants it stopped.
    pub is_to_stop: bool,
}

impl Job {
    /// Whoever asked for it, as the actor of what it changes.
    pub fn by(&self) -> By {
        let by = By::new(Actor::named(self.actor.as_str()), self.source);
        by.noting(format!("job {}", self.number))
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobPlace {
    /// Everybody up to this customer, in the order of their numbers.
    After(i64),
    /// So many parts of those who were picked, or rows of a file.
    Parts(u64),
    /// Everybody whom an import changed, and of those it made everybody up to this one.
    Made(i64),
}

impl JobPlace {
    /// The last customer who was looked at.
    pub fn after(customer: CustomerId) -> Self {
        Self::After(customer.0)
    }
}

/// Something that a job could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// The unique id, or whatever else named somebody; none: nobody is there any more.
    pub who: Option<String>,
    pub what: String,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEnd {
    Done(Option<Value>),
    Failed(String),
    Cancelled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_read_back() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
            assert_eq!(JobState::from_number(state.number()), Some(state));
            assert_eq!(serde_json::json!(state), state.as_str());
        }
    }

    #[test]
    fn a_place_reads_back_whole() {
        for place in [
            JobPlace::After(i64::MAX),
            JobPlace::Parts(7),
            JobPlace::Made(8),
        ] {
            let text = serde_json::to_string(&place).unwrap();
            assert_eq!(serde_json::from_str::<JobPlace>(&text).unwrap(), place);
        }
    }
}
