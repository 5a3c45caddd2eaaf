//! Owns imports: files of customers that are looked at, saved and taken back, and how far they are.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::Source;
use super::field::ID;
use super::import_plan::ImportPlan;
use super::job::{JobNo, JobState};

/// The number of an import: people say "import 7".
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
pub struct ImportNo(pub i64);

impl fmt::Display for ImportNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As what the last file of the watched folder is written down that could not be imported.
pub const FAILED_FILE: &str = "imports failed file";

/// How an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportState {
    /// Its rows are being looked at.
    Checking,
    /// All rows were looked at; nothing is stored of them.
    Checked,
    Saving,
    Saved,
    /// Nobody wanted it, or nobody saved it in time.
    Discarded,
    /// What it changed is being taken back.
    Reverting,
    Reverted,
    /// A job about it ended before the work did: it can be gone on with.
    Stopped,
}

impl ImportState {
    pub const ALL: [Self; 8] = [
        Self::Checking,
        Self::Checked,
        Self::Saving,
        Self::Saved,
        Self::Discarded,
        Self::Reverting,
        Self::Reverted,
        Self::Stopped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Saving => "saving",
            Self::Saved => "saved",
            Self::Discarded => "discarded",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
            Self::Stopped => "stopped",
        }
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Checking => 0,
            Self::Checked => 1,
            Self::Saving => 2,
            Self::Saved => 3,
            Self::Discarded => 4,
            Self::Reverting => 5,
            Self::Reverted => 6,
            Self::Stopped => 7,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What became of the rows of an import, as far as it is: `read` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportCounts {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// Rows that a later row of the same customer took the place of.
    pub duplicates: u64,
    /// Rows that match nobody, and were to be passed over.
    pub skipped: u64,
}

/// How far an import is in its file. A window of rows is written bucket by bucket, so that whoever goes
/// on knows which of its rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportPlace {
    /// Rows of the file that are done with.
    pub rows: u64,
    /// Rows of the window after them; none: it is not begun.
    pub window: Option<u64>,
    /// The first bucket of the window that is not written.
    pub bucket: u16,
    /// Windows that are done with.
    pub windows: u32,
}

/// What the file was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportFindings {
    pub columns: Vec<String>,
    pub ignored_columns: Vec<String>,
    pub encoding: Option<String>,
    /// Why it cannot be imported as it is.
    pub problem: Option<String>,
}

/// An import as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    pub number: ImportNo,
    pub state: ImportState,
    /// The name of its file.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub hash: String,
    pub plan: ImportPlan,
    pub counts: ImportCounts,
    pub findings: ImportFindings,
    pub place: ImportPlace,
    pub actor: String,
    pub source: Source,
    pub created_at: Timestamp,
    pub saved_at: Option<Timestamp>,
    /// The latest job about it.
    pub job: Option<JobNo>,
    pub job_state: Option<JobState>,
    /// Whether it came from the watched folder.
    pub is_dropped: bool,
}

impl Import {
    /// How it stands for people: work that has no job any more has stopped.
    pub fn shown_state(&self) -> ImportState {
        let is_over = self.job_state.is_some_and(JobState::is_over);
        match self.state {
            ImportState::Checking | ImportState::Saving | ImportState::Reverting if is_over => {
                ImportState::Stopped
            }
            state => state,
        }
    }

    /// Whether a file is still kept for it.
    pub fn is_open(&self) -> bool {
        matches!(
            self.state,
            ImportState::Checking | ImportState::Checked | ImportState::Saving
        )
    }
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its line in the file, or its row in the sheet.
    pub line: u64,
    /// Whom it seems to be about, so that it goes when they are deleted.
    pub who: Option<String>,
    pub reason: String,
    /// As they stand in the file.
    pub cells: Vec<String>,
}

/// The unique id of a customer whom a row makes that has none.
pub fn made_id(import: ImportNo, line: u64) -> String {
    format!("import-{import}-{line}")
}

/// Whether rows are matched by the unique id.
pub fn is_by_id(key: &str) -> bool {
    key.is_empty() || key == ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_states_read_back() {
        for state in ImportState::ALL {
            assert_eq!(ImportState::parse(state.as_str()), Some(state));
            assert_eq!(ImportState::from_number(state.number()), Some(state));
            assert_eq!(serde_json::json!(state), state.as_str());
        }
    }
}
