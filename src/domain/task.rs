//! Owns tasks: what somebody at the bank is to do about a customer.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    #[default]
    Open,
    InProgress,
    Done,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskPriority {
    Low,
    #[default]
    Normal,
    High,
}

/// What a task says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskText {
    pub name: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    /// Who is to do it.
    pub assignee: Option<String>,
    pub due_on: Option<Date>,
}

/// A task with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub number: i64,
    pub text: TaskText,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who wrote it last.
    pub actor: String,
}

impl TaskStatus {
    pub const ALL: [Self; 3] = [Self::Open, Self::InProgress, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in-progress",
            Self::Done => "done",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::InProgress => 1,
            Self::Done => 2,
        }
    }

    pub fn from_number(number: i64) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.number() == number)
            .unwrap_or_default()
    }
}

impl TaskPriority {
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::Normal => 1,
            Self::High => 2,
        }
    }

    pub fn from_number(number: i64) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|priority| priority.number() == number)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_tasks_read_back() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(status));
            assert_eq!(TaskStatus::from_number(status.number()), status);
        }
        for priority in TaskPriority::ALL {
            assert_eq!(TaskPriority::parse(priority.as_str()), Some(priority));
            assert_eq!(TaskPriority::from_number(priority.number()), priority);
        }
    }
}
